"""Single-use tokens, found by a keyed digest."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.storage.tables import one_time_tokens


async def replace_one_time_token(
    connection: AsyncConnection, digest: bytes, *, purpose: str, now: datetime, expires_at: datetime
) -> None:
    """Store the only good token of its purpose: the newest."""
    await connection.execute(delete(one_time_tokens).where(one_time_tokens.c.purpose == purpose))
    await connection.execute(
        insert(one_time_tokens).values(token_digest=digest, purpose=purpose, created_at=now, expires_at=expires_at)
    )


async def one_time_token_is_good(connection: AsyncConnection, digest: bytes, *, purpose: str, now: datetime) -> bool:
    """Look without spending: opening a link changes nothing."""
    statement = select(one_time_tokens.c.purpose).where(
        one_time_tokens.c.token_digest == digest,
        one_time_tokens.c.purpose == purpose,
        one_time_tokens.c.expires_at > now,
    )
    return (await connection.execute(statement)).first() is not None


async def spend_one_time_token(connection: AsyncConnection, digest: bytes, *, purpose: str, now: datetime) -> bool:
    """Delete a good token, atomically: of several who try, one is told yes."""
    statement = (
        delete(one_time_tokens)
        .where(
            one_time_tokens.c.token_digest == digest,
            one_time_tokens.c.purpose == purpose,
            one_time_tokens.c.expires_at > now,
        )
        .returning(one_time_tokens.c.purpose)
    )
    return (await connection.execute(statement)).first() is not None
