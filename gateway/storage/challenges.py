"""Half-finished logins, found by a keyed digest of their token."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, insert, select, update

from gateway.models import Challenge
from gateway.storage.asyncio_engine import AsyncConnection
from gateway.storage.tables import challenges


async def insert_challenge(
    connection: AsyncConnection, challenge: Challenge, *, token_digest: bytes, now: datetime
) -> None:
    await connection.execute(
        insert(challenges).values(
            id=challenge.id,
            account_id=challenge.account_id,
            token_digest=token_digest,
            remember_me=challenge.remember_me,
            failures=challenge.failures,
            created_at=now,
            expires_at=challenge.expires_at,
        )
    )


async def find_challenge(connection: AsyncConnection, token_digest: bytes, *, now: datetime) -> Challenge | None:
    statement = select(challenges).where(challenges.c.token_digest == token_digest, challenges.c.expires_at > now)
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else Challenge(row.id, row.account_id, row.remember_me, row.failures, row.expires_at)


async def challenge_is_open(connection: AsyncConnection, challenge_id: str, *, now: datetime) -> bool:
    statement = select(challenges.c.id).where(_open(challenge_id, now))
    return (await connection.execute(statement)).first() is not None


async def count_challenge_failure(connection: AsyncConnection, challenge_id: str, *, most: int) -> None:
    """Count a wrong code; the challenge is gone with the last one that it may have."""
    counted = update(challenges).where(challenges.c.id == challenge_id).values(failures=challenges.c.failures + 1)
    await connection.execute(counted)
    await connection.execute(delete(challenges).where(challenges.c.id == challenge_id, challenges.c.failures >= most))


async def spend_challenge(connection: AsyncConnection, challenge_id: str, *, now: datetime) -> bool:
    """Delete an open challenge, atomically: of several who try, one gets it."""
    statement = delete(challenges).where(_open(challenge_id, now)).returning(challenges.c.id)
    return (await connection.execute(statement)).first() is not None


async def delete_challenges_of(connection: AsyncConnection, account_id: str) -> None:
    await connection.execute(delete(challenges).where(challenges.c.account_id == account_id))


def _open(challenge_id: str, now: datetime) -> ColumnElement[bool]:
    return and_(challenges.c.id == challenge_id, challenges.c.expires_at > now)
