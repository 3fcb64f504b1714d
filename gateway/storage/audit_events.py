"""The security events: appended by whoever causes them, numbered and sealed by the sealer, read by the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, bindparam, delete, func, insert, or_, select, update

from gateway.storage.asyncio_engine import AsyncConnection
from gateway.storage.tables import accounts, audit_events

_COLUMNS = audit_events.c
# `AND number IS NULL`: what is sealed stays as it was sealed.
_SEAL = (
    update(audit_events)
    .where(_COLUMNS.id == bindparam("wanted"), _COLUMNS.number.is_(None))
    .values(number=bindparam("given_number"), seal=bindparam("given_seal"))
)


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One row. `details` is JSON; `number` and `seal` are there once it is sealed."""

    id: int
    number: int | None
    seal: bytes | None
    at: datetime
    kind: str
    succeeded: bool
    actor: str | None
    account_id: str | None
    email: str | None
    client_address: str | None
    request_id: str | None
    details: str


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events are asked for; nothing set means all. `email` is an account's, concerned or acting.

    `actor`: an account's id, or one of the other words for who did it.
    """

    since: datetime | None = None
    until: datetime | None = None
    kinds: tuple[str, ...] = ()
    email: str | None = None
    actor: str | None = None
    succeeded: bool | None = None


async def insert_event(connection: AsyncConnection, **values: Any) -> None:  # noqa: ANN401 - column values
    await connection.execute(insert(audit_events).values(**values))


async def find_email(connection: AsyncConnection, account_id: str) -> str | None:
    """Give an account's address: an event still tells whom it concerned when the account is gone."""
    return (await connection.execute(select(accounts.c.email).where(accounts.c.id == account_id))).scalar_one_or_none()


async def count_events_of(
    connection: AsyncConnection,
    account_id: str,
    *,
    kinds: Sequence[str],
    since: datetime,
    succeeded: bool | None = None,
) -> int:
    """Count what happened to an account, sealed or not."""
    statement = (
        select(func.count())
        .select_from(audit_events)
        .where(_COLUMNS.account_id == account_id, _COLUMNS.kind.in_(kinds), _COLUMNS.at > since)
    )
    if succeeded is not None:
        statement = statement.where(_COLUMNS.succeeded.is_(succeeded))
    return (await connection.execute(statement)).scalar_one()


async def read_unsealed(connection: AsyncConnection, *, limit: int) -> list[StoredEvent]:
    """Give the events that wait for their number, in the order in which they get it."""
    statement = select(audit_events).where(_COLUMNS.number.is_(None)).order_by(_COLUMNS.id).limit(limit)
    return [_from_row(row) for row in await connection.execute(statement)]


async def count_unsealed(connection: AsyncConnection) -> tuple[int, datetime | None]:
    """Give how many wait for their number, and since when."""
    statement = select(func.count(), func.min(_COLUMNS.at)).where(_COLUMNS.number.is_(None))
    count, oldest = (await connection.execute(statement)).one()
    return count, oldest


async def seal_events(connection: AsyncConnection, sealed: Sequence[tuple[int, int, bytes]]) -> None:
    """Store number and seal by the row's id. Two who seal at once: the unique number refuses the second."""
    values = [{"wanted": row_id, "given_number": number, "given_seal": seal} for row_id, number, seal in sealed]
    await connection.execute(_SEAL, values)


async def read_sealed(connection: AsyncConnection, *, after: int, up_to: int, limit: int) -> list[StoredEvent]:
    """Give sealed events in the order of their numbers."""
    between = (_COLUMNS.number > after, _COLUMNS.number <= up_to)
    statement = select(audit_events).where(*between).order_by(_COLUMNS.number).limit(limit)
    return [_from_row(row) for row in await connection.execute(statement)]


async def find_newest_seal(connection: AsyncConnection) -> tuple[int, bytes | None] | None:
    """Give number and seal of the last row of the chain."""
    newest = select(_COLUMNS.number, _COLUMNS.seal).where(_COLUMNS.number.is_not(None))
    row = (await connection.execute(newest.order_by(_COLUMNS.number.desc()).limit(1))).one_or_none()
    return None if row is None else (row.number, row.seal)


async def find_newest_number(connection: AsyncConnection) -> int | None:
    number: int | None = (await connection.execute(select(func.max(_COLUMNS.number)))).scalar_one()
    return number


async def find_first_number(connection: AsyncConnection) -> int | None:
    number: int | None = (await connection.execute(select(func.min(_COLUMNS.number)))).scalar_one()
    return number


async def delete_events_up_to(connection: AsyncConnection, number: int) -> int:
    """Delete sealed events from the beginning on; returns how many there were."""
    result = await connection.execute(delete(audit_events).where(_COLUMNS.number <= number))
    return result.rowcount


async def read_newest(
    connection: AsyncConnection, wanted: EventFilter, *, limit: int, before_id: int | None = None
) -> list[StoredEvent]:
    """Give matching events, newest first, sealed or not; before a row's id: one page of many."""
    statement = _matching(wanted).order_by(_COLUMNS.id.desc()).limit(limit)
    if before_id is not None:
        statement = statement.where(_COLUMNS.id < before_id)
    return [_from_row(row) for row in await connection.execute(statement)]


async def read_oldest(
    connection: AsyncConnection, wanted: EventFilter, *, after_id: int, limit: int
) -> list[StoredEvent]:
    """Give matching events, oldest first, after a row's id: one page of many."""
    statement = _matching(wanted).where(_COLUMNS.id > after_id).order_by(_COLUMNS.id).limit(limit)
    return [_from_row(row) for row in await connection.execute(statement)]


def _matching(wanted: EventFilter) -> Select[Any]:
    statement = select(audit_events)
    if wanted.since is not None:
        statement = statement.where(_COLUMNS.at >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(_COLUMNS.at < wanted.until)
    if wanted.kinds:
        statement = statement.where(_COLUMNS.kind.in_(wanted.kinds))
    if wanted.succeeded is not None:
        statement = statement.where(_COLUMNS.succeeded.is_(wanted.succeeded))
    if wanted.actor is not None:
        statement = statement.where(_COLUMNS.actor == wanted.actor)
    if wanted.email is not None:
        whose = select(accounts.c.id).where(accounts.c.email == wanted.email)
        statement = statement.where(
            or_(_COLUMNS.email == wanted.email, _COLUMNS.account_id.in_(whose), _COLUMNS.actor.in_(whose))
        )
    return statement


def _from_row(row: Row[Any]) -> StoredEvent:
    return StoredEvent(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
