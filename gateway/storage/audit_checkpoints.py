"""Checkpoints in the chain of security events: where it may be read from, and proof of what was there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from gateway.storage.asyncio_engine import AsyncConnection
from gateway.storage.tables import audit_checkpoints

_COLUMNS = audit_checkpoints.c


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The seal that the event of a number had at a moment. `mac` is over the other three."""

    number: int
    seal: bytes
    mac: bytes
    at: datetime


async def insert_checkpoint(connection: AsyncConnection, checkpoint: Checkpoint) -> None:
    await connection.execute(
        insert(audit_checkpoints).values(
            number=checkpoint.number, seal=checkpoint.seal, mac=checkpoint.mac, at=checkpoint.at
        )
    )


async def list_checkpoints(connection: AsyncConnection) -> list[Checkpoint]:
    """List all, oldest first: one for some hundred events."""
    return [_from_row(row) for row in await connection.execute(select(audit_checkpoints).order_by(_COLUMNS.number))]


async def find_newest_checkpoint(connection: AsyncConnection) -> Checkpoint | None:
    statement = select(audit_checkpoints).order_by(_COLUMNS.number.desc()).limit(1)
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else _from_row(row)


async def find_checkpoint_at_or_after(connection: AsyncConnection, number: int) -> Checkpoint | None:
    statement = select(audit_checkpoints).where(_COLUMNS.number >= number).order_by(_COLUMNS.number).limit(1)
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else _from_row(row)


async def make_beginning(connection: AsyncConnection, number: int, *, mac: bytes) -> None:
    """Let the chain begin after this checkpoint: it gets another proof, and those before it go."""
    await connection.execute(update(audit_checkpoints).where(_COLUMNS.number == number).values(mac=mac))
    await connection.execute(delete(audit_checkpoints).where(_COLUMNS.number < number))


def _from_row(row: Row[Any]) -> Checkpoint:
    return Checkpoint(number=row.number, seal=row.seal, mac=row.mac, at=row.at)
