"""An account's API keys: made, shown, rotated and deleted by their owner."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from gateway.api_keys import ApiKeys, Grant
from gateway.audit.events import EventKind, record
from gateway.errors import Conflict, InvalidFields, NotFound, TokenExpired
from gateway.facts.facts import api_key_subject
from gateway.models import ApiKey
from gateway.storage.api_keys import delete_api_key, find_api_key, list_api_keys, mark_rotated
from gateway.storage.sessions import find_session

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.revocation import Revocation, Transaction
    from gateway.storage.database import Database

_log = structlog.get_logger("gateway.security")

LONGEST_OVERLAP = timedelta(days=7)


class OwnedApiKeys:
    """Every call names the owner: another account's key is not there."""

    def __init__(self, database: Database, *, api_keys: ApiKeys, revocation: Revocation) -> None:
        self._database = database
        self._api_keys = api_keys
        self._revocation = revocation

    async def create(self, account_id: str, grant: Grant, *, session_id: str | None = None) -> tuple[ApiKey, str]:
        """Return the new key's record and the key itself, which is told once.

        Raises `InvalidFields`, or `TokenExpired` where the session that asks has ended meanwhile.
        """
        async with self._revocation.transaction() as transaction:
            await _require_alive(transaction, session_id)
            now = transaction.now
            if grant.expires_at is not None and grant.expires_at <= now:
                raise InvalidFields(fields={"expiresAt": "This moment has passed: choose one in the future."})
            created = await self._api_keys.issue(transaction.connection, account_id, grant, now=now)
            await _record(transaction, EventKind.API_KEY_CREATED, created[0])
        _log.info("api_key_created", account_id=account_id, api_key_id=created[0].id)
        return created

    async def list(self, account_id: str) -> list[ApiKey]:
        async with self._database.read() as connection:
            return await list_api_keys(connection, account_id)

    async def find(self, account_id: str, api_key_id: str) -> ApiKey:
        async with self._database.read() as connection:
            return await _find_owned(connection, account_id, api_key_id)

    def last_used_at(self, api_key: ApiKey) -> datetime | None:
        return self._api_keys.last_use.latest(api_key.id, api_key.last_used_at)

    async def rotate(
        self, account_id: str, api_key_id: str, *, overlap: timedelta, session_id: str | None = None
    ) -> tuple[ApiKey, str]:
        """Replace a key by one for the same purpose and as long a life; the old one ends after the overlap.

        Raises `NotFound`, `Conflict` where it has its successor already, or `TokenExpired` as `create` does.
        """
        async with self._revocation.transaction() as transaction:
            await _require_alive(transaction, session_id)
            connection, now = transaction.connection, transaction.now
            old = await _find_owned(connection, account_id, api_key_id)
            # An overlap never makes the old key live longer than it would have.
            end = now + overlap if old.expires_at is None else min(old.expires_at, now + overlap)
            if not await mark_rotated(connection, old.id, expires_at=end, now=now):
                message = "This key was rotated already: rotate the key that replaced it."
                raise Conflict(message)
            life = None if old.expires_at is None else old.expires_at - old.created_at
            grant = Grant(old.name, old.scopes, expires_at=None if life is None else now + life)
            created = await self._api_keys.issue(connection, account_id, grant, now=now)
            await transaction.invalidate(api_key_subject(old.id))
            await _record(transaction, EventKind.API_KEY_ROTATED, old)
        _log.info("api_key_rotated", account_id=account_id, api_key_id=old.id, successor_id=created[0].id)
        return created

    async def delete(self, account_id: str, api_key_id: str) -> None:
        """End a key at once. Raises `NotFound`."""
        async with self._revocation.transaction() as transaction:
            api_key = await _find_owned(transaction.connection, account_id, api_key_id)
            await delete_api_key(transaction.connection, api_key_id, account_id=account_id)
            await _record(transaction, EventKind.API_KEY_ENDED, api_key)
            await transaction.invalidate(api_key_subject(api_key_id))
        _log.info("api_key_revoked", account_id=account_id, api_key_id=api_key_id)


async def _require_alive(transaction: Transaction, session_id: str | None) -> None:
    """Look at the asking session again (`None`: an administrator asks): its body may have come after its end.

    What a key opens outlives the session, so that a revoked one must not make it in its last moment.
    """
    if session_id is None:
        return
    found = await find_session(transaction.connection, session_id)
    if found is None or not found[1].active(transaction.now):
        raise TokenExpired


async def _record(transaction: Transaction, kind: EventKind, api_key: ApiKey) -> None:
    await record(
        transaction.connection, kind, account_id=api_key.account_id, api_key=api_key.name, prefix=api_key.prefix
    )


async def _find_owned(connection: AsyncConnection, account_id: str, api_key_id: str) -> ApiKey:
    api_key = await find_api_key(connection, api_key_id)
    if api_key is None or api_key.account_id != account_id:
        raise NotFound(_NO_SUCH_KEY)
    return api_key


_NO_SUCH_KEY = "You have no such API key."
