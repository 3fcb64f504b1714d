"""The invalidation log: what no longer counts, in order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, func, insert, select, text

from gateway.storage.asyncio_engine import AsyncConnection
from gateway.storage.tables import invalidations

# Under this name PostgreSQL tells whoever listens what was appended, when it is committed.
CHANNEL = "gateway_invalidations"

_ENTRIES = select(invalidations.c.number, invalidations.c.subject, invalidations.c.created_at)
_LAST = _ENTRIES.order_by(invalidations.c.number.desc()).limit(1)
_FROM = _ENTRIES.where(invalidations.c.number >= bindparam("number")).order_by(invalidations.c.number)


@dataclass(frozen=True, slots=True)
class Entry:
    """A subject that no longer counts. Two entries of one number are the same one only if all of them agrees."""

    number: int
    subject: str
    created_at: datetime


async def append_invalidation(connection: AsyncConnection, subject: str, *, now: datetime) -> None:
    """Append inside the transaction that the entry announces; where the database can, it rings at the commit."""
    await connection.execute(insert(invalidations).values(subject=subject, created_at=now))
    if connection.dialect.name == "postgresql":
        await connection.execute(select(func.pg_notify(CHANNEL, subject)))


async def last_entry(connection: AsyncConnection) -> Entry | None:
    """Give the end of the log; `None`: it is empty."""
    row = (await connection.execute(_LAST)).one_or_none()
    return None if row is None else _entry(row)


async def entries_from(connection: AsyncConnection, number: int) -> list[Entry]:
    """Read the entry of this number, if it is there, and all that came after it, in order."""
    return [_entry(row) for row in await connection.execute(_FROM, {"number": number})]


async def data_version(connection: AsyncConnection) -> int | None:
    """SQLite's counter of commits made by other connections than this one; PostgreSQL has none (`None`)."""
    if connection.dialect.name != "sqlite":
        return None
    return int((await connection.execute(text("PRAGMA data_version"))).scalar_one())


def _entry(row: Row[*tuple[Any, ...]]) -> Entry:
    return Entry(row.number, row.subject, row.created_at)
