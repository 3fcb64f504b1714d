"""An audit log of the test's own: filled, sealed, and touched by somebody who can write to the database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine
from sqlalchemy import text

from gateway.audit.events import EventKind, record
from gateway.audit.sealing import Sealer
from gateway.audit.seals import AuditSeals, Head
from gateway.audit.verification import Broken, Fault, Intact, Verification
from gateway.storage.database import Database

BEGAN_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
SEALS = AuditSeals(b"audit key of thirty-two bytes...")


async def record_events(database: Database, count: int = 1) -> None:
    async with database.write() as connection:
        for number in range(count):
            await record(connection, EventKind.GROUP_CHANGED, group=f"group {number}", change="added")


async def seal_everything(database: Database, sealer: Sealer | None = None) -> None:
    sealer = sealer or Sealer(database, seals=SEALS)
    while await sealer.seal():
        pass


async def make_log(database: Database, *, segments: int, of: int) -> None:
    """Record and seal so many events each hour: each time there is a checkpoint."""
    for segment in range(segments):
        with time_machine.travel(BEGAN_AT + segment * timedelta(hours=1), tick=False):
            await record_events(database, of)
            await seal_everything(database)


async def touch(database: Database, *statements: str, **values: Any) -> None:  # noqa: ANN401 - bound values
    """Do what somebody does who can write to the database, but has no key."""
    async with database.write() as connection:
        for statement in statements:
            await connection.execute(text(statement), values if ":" in statement else {})


async def ask(database: Database, statement: str) -> list[Any]:
    async with database.read() as connection:
        return list((await connection.execute(text(statement))).scalars())


async def verified(database: Database, kept: Head | None = None, *, seals: AuditSeals = SEALS) -> Intact:
    found = await Verification(database, seals=seals).verify(kept)
    assert isinstance(found, Intact), found
    return found


async def fault_in(
    database: Database, kept: Head | None = None, *, seals: AuditSeals = SEALS
) -> tuple[Fault, int] | None:
    """Give what is wrong first, and where."""
    found = await Verification(database, seals=seals).verify(kept)
    return (found.fault, found.number) if isinstance(found, Broken) else None
