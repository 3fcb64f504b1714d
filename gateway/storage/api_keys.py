"""The API keys, found by a keyed digest or by their stable id."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, delete, insert, or_, select, update

from gateway.models import ApiKey, Scope
from gateway.storage.asyncio_engine import AsyncConnection
from gateway.storage.tables import api_keys

_TOUCH = (
    update(api_keys)
    .where(
        api_keys.c.id == bindparam("wanted"),
        or_(api_keys.c.last_used_at.is_(None), api_keys.c.last_used_at < bindparam("seen_at")),
    )
    .values(last_used_at=bindparam("seen_at"))
)


async def find_api_key(connection: AsyncConnection, api_key_id: str) -> ApiKey | None:
    row = (await connection.execute(select(api_keys).where(api_keys.c.id == api_key_id))).one_or_none()
    return None if row is None else api_key_from_row(row)


async def list_api_keys(
    connection: AsyncConnection, owner_id: str | None = None, *, of_service: bool | None = None
) -> list[ApiKey]:
    """List an owner's keys, those of all people or of all service accounts, or every one, newest first."""
    statement = select(api_keys).order_by(api_keys.c.created_at.desc(), api_keys.c.id)
    if owner_id is not None:
        statement = statement.where(or_(api_keys.c.account_id == owner_id, api_keys.c.service_account_id == owner_id))
    if of_service is not None:
        column = api_keys.c.service_account_id if of_service else api_keys.c.account_id
        statement = statement.where(column.is_not(None))
    return [api_key_from_row(row) for row in await connection.execute(statement)]


async def insert_api_key(connection: AsyncConnection, api_key: ApiKey, *, key_digest: bytes) -> None:
    await connection.execute(
        insert(api_keys).values(
            id=api_key.id,
            account_id=None if api_key.of_service else api_key.owner_id,
            service_account_id=api_key.owner_id if api_key.of_service else None,
            name=api_key.name,
            prefix=api_key.prefix,
            key_digest=key_digest,
            scopes=json.dumps([_plain(scope) for scope in api_key.scopes]),
            created_at=api_key.created_at,
            expires_at=api_key.expires_at,
            last_used_at=api_key.last_used_at,
        )
    )


async def mark_rotated(
    connection: AsyncConnection, api_key_id: str, *, expires_at: datetime | None, now: datetime
) -> bool:
    """Let a key expire and have its one successor; says whether nobody had rotated it before."""
    statement = (
        update(api_keys)
        .where(api_keys.c.id == api_key_id, api_keys.c.rotated_at.is_(None))
        .values(expires_at=expires_at, rotated_at=now)
    )
    return (await connection.execute(statement.returning(api_keys.c.id))).first() is not None


async def delete_api_key(connection: AsyncConnection, api_key_id: str) -> None:
    await connection.execute(delete(api_keys).where(api_keys.c.id == api_key_id))


async def delete_api_keys_of(connection: AsyncConnection, account_id: str) -> None:
    await connection.execute(delete(api_keys).where(api_keys.c.account_id == account_id))


async def touch_api_keys(connection: AsyncConnection, seen: Mapping[str, datetime]) -> None:
    """Write when keys were last used; a later moment already stored by another process stays."""
    await connection.execute(_TOUCH, [{"wanted": api_key_id, "seen_at": at} for api_key_id, at in seen.items()])


def api_key_from_row(row: Row[Any], label: str = "") -> ApiKey:
    column = {name: getattr(row, label + name) for name in api_keys.c.keys()}  # noqa: SIM118 - a mapping of columns
    return ApiKey(
        id=column["id"],
        owner_id=column["account_id"] or column["service_account_id"],
        name=column["name"],
        prefix=column["prefix"],
        scopes=tuple(_scope(plain) for plain in json.loads(column["scopes"])),
        created_at=column["created_at"],
        expires_at=column["expires_at"],
        last_used_at=column["last_used_at"],
        of_service=column["service_account_id"] is not None,
    )


def _plain(scope: Scope) -> dict[str, Any]:
    return {"host": scope.host, "path": scope.path, "methods": list(scope.methods)}


def _scope(plain: Mapping[str, Any]) -> Scope:
    return Scope(host=plain["host"], path=plain["path"], methods=tuple(plain["methods"]))
