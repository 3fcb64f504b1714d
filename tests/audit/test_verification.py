"""Whatever somebody does to the log without the key, the first row that is wrong is named."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.audit.retention import AuditRetention
from gateway.audit.sealing import SEGMENT, Sealer
from gateway.audit.seals import AuditSeals, Head, Place
from gateway.audit.verification import Fault
from gateway.config.database_url import SqliteFile
from gateway.storage.audit_checkpoints import list_checkpoints
from gateway.storage.database import Database
from tests.support.audit import (
    BEGAN_AT,
    SEALS,
    fault_in,
    make_log,
    record_events,
    seal_everything,
    touch,
    verified,
)
from tests.support.database import Disk

OTHER_KEY = AuditSeals(b"another key of thirty-two bytes.")
INSERTED = (
    "INSERT INTO audit_events (number, seal, at, kind, succeeded, details)"
    " SELECT {number}, seal, at, 'login', 1, '{{}}' FROM audit_events WHERE number = 1"
)


@pytest.fixture
async def log(database: Database) -> Database:
    """Give 30 sealed rows with checkpoints at 10, 20 and 30."""
    await make_log(database, segments=3, of=10)
    return database


async def test_untouched_log_is_intact(log: Database) -> None:
    intact = await verified(log)
    assert (intact.rows, intact.head and intact.head.number, intact.unsealed) == (30, 30, 0)
    assert intact.first_at is not None
    assert intact.last_at is not None
    assert BEGAN_AT <= intact.first_at < intact.last_at


async def test_empty_log_is_intact(database: Database) -> None:
    intact = await verified(database)
    assert (intact.rows, intact.head) == (0, None)


@pytest.mark.parametrize(
    "change",
    [
        "kind = 'login'",
        "succeeded = 0",
        "actor = 'somebody'",
        "account_id = 'a'",
        "email = 'a@example.com'",
        "client_address = '10.0.0.1'",
        "request_id = 'r'",
        "details = '{}'",
        "at = '2026-03-01 12:00:00.000001'",
        "id = 1000",
    ],
)
async def test_altered_row_is_named_whichever_column_it_was(log: Database, change: str) -> None:
    await touch(log, f"UPDATE audit_events SET {change} WHERE number = 17")  # noqa: S608 - of this test
    assert await fault_in(log) == (Fault.ALTERED, 17)


@pytest.mark.parametrize(
    ("statements", "fault", "number"),
    [
        (["DELETE FROM audit_events WHERE number = 17"], Fault.REMOVED, 17),
        (["UPDATE audit_events SET number = NULL, seal = NULL WHERE number = 17"], Fault.REMOVED, 17),
        (["DELETE FROM audit_events WHERE number = 1"], Fault.BEGINNING_REMOVED, 1),
        (["DELETE FROM audit_events WHERE number <= 10"], Fault.BEGINNING_REMOVED, 1),
        (
            ["DELETE FROM audit_events WHERE number <= 10", "DELETE FROM audit_checkpoints WHERE number <= 10"],
            Fault.BEGINNING_REMOVED,
            1,
        ),
        (["DELETE FROM audit_events WHERE number > 27"], Fault.TAIL_CUT, 28),
        (["DELETE FROM audit_events"], Fault.TAIL_CUT, 1),
        # An own row, in the place of another that moves on.
        (
            [
                "UPDATE audit_events SET number = -number - 1 WHERE number >= 17",
                "UPDATE audit_events SET number = -number WHERE number < 0",
                INSERTED.format(number=17),
            ],
            Fault.MISPLACED,
            17,
        ),
        (["DELETE FROM audit_events WHERE number = 17", INSERTED.format(number=17)], Fault.MISPLACED, 17),
        ([INSERTED.format(number=31)], Fault.MISPLACED, 31),
        # Two rows change places.
        (
            [
                "UPDATE audit_events SET number = -1 WHERE number = 17",
                "UPDATE audit_events SET number = 17 WHERE number = 18",
                "UPDATE audit_events SET number = 18 WHERE number = -1",
            ],
            Fault.MISPLACED,
            17,
        ),
        # The row alone is put together anew: without the key its seal is wrong.
        (["UPDATE audit_events SET seal = x'00' WHERE number = 17"], Fault.MISPLACED, 17),
        (["UPDATE audit_events SET seal = 'text' WHERE number = 17"], Fault.MISPLACED, 17),
        (["UPDATE audit_events SET at = 'never' WHERE number = 17"], Fault.UNREADABLE, 17),
        (["UPDATE audit_checkpoints SET mac = zeroblob(32) WHERE number = 20"], Fault.CHECKPOINT_FORGED, 20),
        (["UPDATE audit_checkpoints SET at = '2025-01-01 00:00:00' WHERE number = 20"], Fault.CHECKPOINT_FORGED, 20),
        (["UPDATE audit_checkpoints SET number = 21 WHERE number = 20"], Fault.CHECKPOINT_FORGED, 21),
        (["UPDATE audit_checkpoints SET at = 'never' WHERE number = 20"], Fault.CHECKPOINT_UNREADABLE, 0),
        (["DELETE FROM audit_checkpoints"], Fault.CHECKPOINT_MISSING, 30),
    ],
)
async def test_what_was_done_is_named(log: Database, statements: list[str], fault: Fault, number: int) -> None:
    await touch(log, *statements)
    assert await fault_in(log) == (fault, number)


async def test_chain_that_was_made_anew_without_the_key_is_found(log: Database) -> None:
    await touch(log, "UPDATE audit_events SET seal = NULL, number = NULL", "DELETE FROM audit_checkpoints")
    await seal_everything(log, Sealer(log, seals=OTHER_KEY))
    assert await fault_in(log) == (Fault.CHECKPOINT_FORGED, 30)
    await touch(log, "DELETE FROM audit_checkpoints")
    assert await fault_in(log) == (Fault.MISPLACED, 1)


async def test_checkpoint_that_is_missing_among_many_rows_is_noticed(database: Database) -> None:
    await record_events(database, 2 * SEGMENT)
    await seal_everything(database)
    await touch(database, f"DELETE FROM audit_checkpoints WHERE number = {SEGMENT}")  # noqa: S608 - of this test
    assert await fault_in(database) == (Fault.CHECKPOINT_MISSING, SEGMENT)


async def test_tail_that_was_cut_and_grew_again_contradicts_its_checkpoint(log: Database) -> None:
    """Somebody cut the log, let a gateway go on from there, and put the old checkpoint back."""
    save = "CREATE TABLE saved AS SELECT * FROM audit_checkpoints WHERE number = 30"
    cut = ("DELETE FROM audit_events WHERE number > 25", "DELETE FROM audit_checkpoints WHERE number > 25")
    await touch(log, save, *cut)
    await record_events(log, 10)
    await seal_everything(log)
    await touch(log, "INSERT INTO audit_checkpoints SELECT * FROM saved")
    assert await fault_in(log) == (Fault.CHECKPOINT_CONTRADICTED, 30)


async def test_kept_head_shows_a_cut_that_the_database_does_not(log: Database) -> None:
    kept = (await verified(log)).head
    assert kept is not None
    assert await fault_in(log, kept) is None
    await record_events(log, 3)
    await seal_everything(log)
    assert await fault_in(log, kept) is None, "the log may have grown"
    await touch(log, "DELETE FROM audit_events WHERE number > 28", "DELETE FROM audit_checkpoints WHERE number > 28")
    assert await fault_in(log) is None
    assert await fault_in(log, kept) == (Fault.TAIL_CUT, 29)
    await record_events(log, 5)
    await seal_everything(log)
    assert await fault_in(log, kept) == (Fault.OTHER_HEAD, 30)


async def test_forged_head_is_refused(log: Database) -> None:
    assert await fault_in(log, Head(30, bytes(32))) == (Fault.OTHER_HEAD, 30)


async def test_other_key_fits_nothing(log: Database) -> None:
    assert await fault_in(log, seals=OTHER_KEY) == (Fault.CHECKPOINT_FORGED, 10)


async def test_proof_of_an_ordinary_checkpoint_is_none_of_a_beginning(log: Database) -> None:
    async with log.read() as connection:
        checkpoints = await list_checkpoints(connection)
    assert {SEALS.place_of(one) for one in checkpoints} == {Place.UNDER_WAY}


async def test_log_that_expires_while_it_is_read_is_no_fault(log: Database, disk: Disk, tmp_path: Path) -> None:
    newest_was_read = disk.expect("max(audit_events.number)")
    verifying = asyncio.create_task(verified(log))
    await newest_was_read.wait()
    disk.stop()
    await disk.reached.wait()
    other = Database.open(SqliteFile(tmp_path / "gateway.db"))
    try:
        async with other.write() as connection:
            retention = AuditRetention(seals=SEALS, retention=timedelta(days=365))
            assert await retention.remove(connection, now=BEGAN_AT + timedelta(days=365, minutes=1), limit=1) == 10
    finally:
        await other.close()
    disk.go_on()
    assert (await verifying).rows == 20
