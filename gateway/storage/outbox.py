"""The mail that waits to be sent. Without `sent_at` a letter waits; what is given up is deleted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, func, insert, select, update

from gateway.storage.asyncio_engine import AsyncConnection
from gateway.storage.tables import outbox


@dataclass(frozen=True, slots=True)
class StoredLetter:
    """A letter as it lies there: sealed. `attempts` counts the one that it was claimed for."""

    id: str
    kind: str
    letter: bytes
    created_at: datetime
    attempts: int


async def insert_letter(  # noqa: PLR0913 - one argument for each column
    connection: AsyncConnection, *, letter_id: str, kind: str, letter: bytes, now: datetime, expires_at: datetime
) -> None:
    await connection.execute(
        insert(outbox).values(
            id=letter_id,
            kind=kind,
            letter=letter,
            created_at=now,
            expires_at=expires_at,
            next_attempt_at=now,
            attempts=0,
        )
    )


async def claim_letter(connection: AsyncConnection, *, now: datetime, until: datetime) -> StoredLetter | None:
    """Take the letter that has been due for longest, atomically: no other process tries it before `until`."""
    columns = outbox.c
    longest_due = select(columns.id).where(_due(now)).order_by(columns.next_attempt_at, columns.id).limit(1)
    statement = (
        update(outbox)
        # Of two who chose the same letter at once, the later one finds that it is no longer due.
        .where(columns.id == longest_due.scalar_subquery(), _due(now))
        .values(next_attempt_at=until, attempts=columns.attempts + 1)
        .returning(columns.id, columns.kind, columns.letter, columns.created_at, columns.attempts)
    )
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else StoredLetter(row.id, row.kind, row.letter, row.created_at, row.attempts)


async def mark_letter_sent(connection: AsyncConnection, letter_id: str, *, now: datetime) -> None:
    """Erase what was in it: a link is a credential, and nobody needs it any more."""
    await connection.execute(update(outbox).where(outbox.c.id == letter_id).values(sent_at=now, letter=None))


async def postpone_letter(connection: AsyncConnection, letter: StoredLetter, *, until: datetime) -> None:
    """Set when to try again, unless somebody else has claimed it since."""
    mine = and_(outbox.c.id == letter.id, outbox.c.attempts == letter.attempts, outbox.c.sent_at.is_(None))
    await connection.execute(update(outbox).where(mine).values(next_attempt_at=until))


async def delete_letter(connection: AsyncConnection, letter_id: str) -> None:
    await connection.execute(delete(outbox).where(outbox.c.id == letter_id))


async def delete_expired_letters(connection: AsyncConnection, *, now: datetime) -> list[tuple[str, str]]:
    """Give id and kind of each letter that is of no use any more, and was never sent."""
    expired = and_(outbox.c.sent_at.is_(None), outbox.c.expires_at <= now)
    rows = await connection.execute(delete(outbox).where(expired).returning(outbox.c.id, outbox.c.kind))
    return [(row.id, row.kind) for row in rows]


async def find_next_attempt(connection: AsyncConnection) -> datetime | None:
    """Say when the next letter is due; None when none waits."""
    statement = select(func.min(outbox.c.next_attempt_at)).where(outbox.c.sent_at.is_(None))
    due: datetime | None = (await connection.execute(statement)).scalar_one()
    return due


def _due(now: datetime) -> ColumnElement[bool]:
    columns = outbox.c
    return and_(columns.sent_at.is_(None), columns.next_attempt_at <= now, columns.expires_at > now)
