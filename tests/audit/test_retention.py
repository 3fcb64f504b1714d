"""What was kept long enough goes, whole segments at a time, and the rest is still verified."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import structlog
import time_machine

from gateway.audit.retention import AuditRetention
from gateway.audit.sealing import SEGMENT, Sealer
from gateway.audit.verification import Fault
from gateway.storage.database import Database
from tests.support.audit import (
    BEGAN_AT,
    SEALS,
    ask,
    fault_in,
    make_log,
    record_events,
    seal_everything,
    touch,
    verified,
)

RETENTION = timedelta(days=365)
HOUR = timedelta(hours=1)
NUMBERS = "SELECT number FROM audit_events ORDER BY number"
CHECKPOINTS = "SELECT number FROM audit_checkpoints ORDER BY number"


async def _expire(database: Database, now: datetime) -> list[int]:
    """Remove as the cleaning does; returns how many rows each transaction removed."""
    retention = AuditRetention(seals=SEALS, retention=RETENTION)
    removed: list[int] = []
    while True:
        async with database.read() as connection:
            if not await retention.finds(connection, now=now):
                return removed
        async with database.write() as connection:
            removed.append(await retention.remove(connection, now=now, limit=1))


@pytest.fixture
async def log(database: Database) -> Database:
    """Give 30 sealed rows of three hours, with checkpoints at 10, 20 and 30."""
    await make_log(database, segments=3, of=10)
    return database


async def test_rows_on_this_side_of_the_retention_stay(log: Database) -> None:
    assert await _expire(log, BEGAN_AT + RETENTION - HOUR) == []
    assert (await verified(log)).rows == 30


async def test_whole_segments_go_and_the_rest_is_verified_from_the_last_of_them(log: Database) -> None:
    assert await _expire(log, BEGAN_AT + RETENTION + HOUR) == [10]
    assert await ask(log, NUMBERS) == list(range(11, 31))
    assert await ask(log, CHECKPOINTS) == [10, 20, 30]
    assert (await verified(log)).rows == 20
    assert await _expire(log, BEGAN_AT + RETENTION + 2 * HOUR) == [10]
    assert await ask(log, CHECKPOINTS) == [20, 30]
    assert (await verified(log)).rows == 10


async def test_log_of_which_everything_expired_goes_on_where_it_ended(log: Database) -> None:
    kept = (await verified(log)).head
    assert await _expire(log, BEGAN_AT + RETENTION + 9 * HOUR) == [10, 10, 10]
    assert (await verified(log, kept)).rows == 0
    await record_events(log, 2)
    await seal_everything(log)
    assert await ask(log, NUMBERS) == [31, 32]
    assert (await verified(log, kept)).rows == 2


async def test_rows_after_the_last_checkpoint_stay(log: Database) -> None:
    with time_machine.travel(BEGAN_AT + 2 * HOUR + timedelta(minutes=1)):
        await record_events(log, 5)
        await seal_everything(log)
    assert await _expire(log, BEGAN_AT + 2 * RETENTION) == [10, 10, 10]
    assert (await verified(log)).rows == 5


async def test_transactions_are_bounded(database: Database) -> None:
    with time_machine.travel(BEGAN_AT):
        await record_events(database, 2 * SEGMENT)
        await seal_everything(database)
    assert await _expire(database, BEGAN_AT + RETENTION + HOUR) == [SEGMENT, SEGMENT]


async def test_removing_more_than_has_expired_shows(log: Database) -> None:
    await _expire(log, BEGAN_AT + RETENTION + HOUR)
    await touch(log, "DELETE FROM audit_events WHERE number <= 20", "DELETE FROM audit_checkpoints WHERE number < 20")
    assert await fault_in(log) == (Fault.BEGINNING_REMOVED, 1)


async def test_kept_head_that_has_expired_is_named(log: Database) -> None:
    with time_machine.travel(BEGAN_AT):
        kept = (await verified(log)).head
    assert kept is not None
    await record_events(log, 3)
    await seal_everything(log, Sealer(log, seals=SEALS))
    await _expire(log, datetime.now(BEGAN_AT.tzinfo) + RETENTION + HOUR)
    assert await fault_in(log, kept) == (Fault.HEAD_EXPIRED, 30)


async def test_forged_age_removes_nothing(log: Database) -> None:
    """A checkpoint that somebody made older than it is would take young rows with it, and vouch for the rest."""
    await touch(log, "UPDATE audit_checkpoints SET at = '2020-01-01 00:00:00.000000' WHERE number = 10")
    with structlog.testing.capture_logs() as lines:
        assert await _expire(log, BEGAN_AT) == []
    assert [(line["event"], line["number"]) for line in lines] == [("audit_checkpoint_forged", 10)]
    assert len(await ask(log, NUMBERS)) == 30
