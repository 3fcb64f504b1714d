"""The invalidation log: what no longer counts, in order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.storage.tables import invalidations

_ENDS = select(func.min(invalidations.c.number), func.max(invalidations.c.number))
_AFTER = (
    select(invalidations.c.number, invalidations.c.subject)
    .where(invalidations.c.number > bindparam("position"))
    .order_by(invalidations.c.number)
)


@dataclass(frozen=True, slots=True)
class LogTail:
    """The log's first and last number (`None`: it is empty) and the subjects after a position, in order."""

    first: int | None
    last: int | None
    subjects: tuple[str, ...]


async def append_invalidation(connection: AsyncConnection, subject: str, *, now: datetime) -> None:
    """Append inside the transaction that the entry announces."""
    await connection.execute(insert(invalidations).values(subject=subject, created_at=now))


async def read_tail(connection: AsyncConnection, *, position: int) -> LogTail:
    """Read what came after a position. The ends are read first: a later entry is then seen at the next reading."""
    first, last = (await connection.execute(_ENDS)).one()
    rows = (await connection.execute(_AFTER, {"position": position})).all() if (last or 0) > position else []
    return LogTail(first=first, last=last, subjects=tuple(row.subject for row in rows if row.number <= last))


async def purge_invalidations(connection: AsyncConnection, *, before: datetime) -> None:
    """Forget old entries, but never the newest: the end of the log stays readable."""
    newest = select(func.max(invalidations.c.number)).scalar_subquery()
    await connection.execute(
        delete(invalidations).where(invalidations.c.created_at < before, invalidations.c.number < newest)
    )


async def data_version(connection: AsyncConnection) -> int:
    """SQLite's counter of commits made by other connections than this one."""
    return int((await connection.execute(text("PRAGMA data_version"))).scalar_one())
