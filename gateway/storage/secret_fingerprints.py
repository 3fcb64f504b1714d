"""A fingerprint of each secret, so that a changed one is noticed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from gateway.storage.asyncio_engine import AsyncConnection
from gateway.storage.tables import secret_fingerprints
from gateway.storage.upsert import upsert


async def find_fingerprints(connection: AsyncConnection) -> dict[str, str]:
    statement = select(secret_fingerprints.c.name, secret_fingerprints.c.fingerprint)
    return {row.name: row.fingerprint for row in await connection.execute(statement)}


async def find_fingerprint(connection: AsyncConnection, name: str) -> str | None:
    statement = select(secret_fingerprints.c.fingerprint).where(secret_fingerprints.c.name == name)
    return (await connection.execute(statement)).scalar_one_or_none()


async def exchange_fingerprint(
    connection: AsyncConnection, name: str, *, fingerprint: str, now: datetime
) -> str | None:
    """Store the current fingerprint and return the one that stood there before."""
    before = await find_fingerprint(connection, name)
    values = {"fingerprint": fingerprint, "updated_at": now}
    await upsert(connection, secret_fingerprints, key={"name": name}, values=values)
    return before
