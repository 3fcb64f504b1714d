"""Single-use tokens, found by a keyed digest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, insert, select

from gateway.storage.asyncio_engine import AsyncConnection
from gateway.storage.tables import one_time_tokens


@dataclass(frozen=True, slots=True)
class OneTimeToken:
    """What a token is good for, and whose it is: a set-up link is nobody's yet."""

    purpose: str
    account_id: str | None
    expires_at: datetime


async def insert_one_time_token(
    connection: AsyncConnection, digest: bytes, token: OneTimeToken, *, now: datetime
) -> None:
    """Store a token beside others of its purpose."""
    await connection.execute(
        insert(one_time_tokens).values(
            token_digest=digest,
            purpose=token.purpose,
            account_id=token.account_id,
            created_at=now,
            expires_at=token.expires_at,
        )
    )


async def replace_one_time_token(
    connection: AsyncConnection, digest: bytes, token: OneTimeToken, *, now: datetime
) -> None:
    """Store the only good token of its purpose and account: the newest."""
    await delete_one_time_tokens(connection, purpose=token.purpose, account_id=token.account_id)
    await insert_one_time_token(connection, digest, token, now=now)


async def delete_one_time_tokens(connection: AsyncConnection, *, purpose: str, account_id: str | None) -> None:
    whose = one_time_tokens.c.account_id.is_not_distinct_from(account_id)
    await connection.execute(delete(one_time_tokens).where(one_time_tokens.c.purpose == purpose, whose))


async def find_one_time_token(
    connection: AsyncConnection, digest: bytes, *, purpose: str, now: datetime
) -> OneTimeToken | None:
    """Look without spending: opening a link changes nothing."""
    row = (await connection.execute(select(one_time_tokens).where(_good(digest, purpose, now)))).one_or_none()
    return None if row is None else OneTimeToken(row.purpose, row.account_id, row.expires_at)


async def spend_one_time_token(
    connection: AsyncConnection, digest: bytes, *, purpose: str, now: datetime
) -> OneTimeToken | None:
    """Delete a good token and give it, atomically: of several who try, one gets it."""
    statement = delete(one_time_tokens).where(_good(digest, purpose, now)).returning(one_time_tokens)
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else OneTimeToken(row.purpose, row.account_id, row.expires_at)


def _good(digest: bytes, purpose: str, now: datetime) -> ColumnElement[bool]:
    columns = one_time_tokens.c
    return and_(columns.token_digest == digest, columns.purpose == purpose, columns.expires_at > now)
