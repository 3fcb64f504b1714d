"""The tail of the invalidation log, over a real store that other connections write to."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog
from sqlalchemy import text

from gateway.errors import Unavailable
from gateway.facts import tail as tail_module
from gateway.facts.facts import EVERYTHING
from gateway.facts.tail import InvalidationTail
from gateway.storage.database import Database
from gateway.storage.invalidations import append_invalidation
from tests.facts.conftest import Clock
from tests.support.database import Disk, append
from tests.support.waiting import until

GRACE = timedelta(seconds=60)
BEFORE = "appended before anybody read the log"


class Listener:
    """A tail, and what it handed over."""

    def __init__(self, database: Database, *, grace: timedelta = GRACE) -> None:
        self.heard: list[str] = []
        self.rung: list[str] = []
        self.rang = asyncio.Event()
        self.tail = InvalidationTail(
            database, apply=self._hear, hear=self.rung.append, outage_grace=grace, doorbell_connected=lambda: False
        )

    def _hear(self, subject: str) -> None:
        self.heard.append(subject)
        self.rang.set()


@pytest.fixture
async def listener(database: Database, clock: Clock) -> AsyncIterator[Listener]:
    """A tail that has read the log once, in which there was something."""
    assert clock.now
    await append(database, BEFORE)
    listener = Listener(database)
    await listener.tail.catch_up()
    yield listener
    await listener.tail.close()


async def _read_anew(listener: Listener, clock: Clock) -> list[str]:
    """Let a second pass, so that the log is read again, and say what was new."""
    before = len(listener.heard)
    clock.now += 1
    await listener.tail.catch_up()
    return listener.heard[before:]


async def _execute(database: Database, *statements: str) -> None:
    async with database.write() as connection:
        for statement in statements:
            await connection.execute(text(statement))


async def _numbers(database: Database) -> list[int]:
    async with database.read() as connection:
        return list((await connection.execute(text("SELECT number FROM invalidations ORDER BY number"))).scalars())


@pytest.mark.both_databases
async def test_entries_are_handed_over_once_and_in_order(database: Database, listener: Listener, clock: Clock) -> None:
    await append(database, "a", "b")
    await append(database, "c")
    assert await _read_anew(listener, clock) == ["a", "b", "c"]
    await append(database, "d")
    assert await _read_anew(listener, clock) == ["d"]
    assert await _read_anew(listener, clock) == []


@pytest.mark.both_databases
async def test_what_was_appended_before_the_first_reading_concerns_no_facts(database: Database) -> None:
    await append(database, "old")
    listener = Listener(database)
    await listener.tail.catch_up()
    assert listener.heard == []
    await listener.tail.close()


async def test_other_commits_are_no_entries(database: Database, listener: Listener, clock: Clock) -> None:
    await _execute(database, "INSERT INTO secret_fingerprints VALUES ('a', 'b', '2026-01-01 00:00:00')")
    assert await _read_anew(listener, clock) == []


@pytest.mark.both_databases
async def test_entry_that_was_rolled_back_is_never_heard(database: Database, listener: Listener, clock: Clock) -> None:
    async with database.write() as connection:
        await append_invalidation(connection, "a", now=datetime.now(UTC))
        await connection.rollback()
    assert await _read_anew(listener, clock) == []
    await append(database, "b")
    assert await _read_anew(listener, clock) == ["b"]


async def test_log_is_read_only_when_somebody_committed(
    database: Database, listener: Listener, clock: Clock, disk: Disk
) -> None:
    assert await _read_anew(listener, clock) == []
    assert disk.statements
    assert not [statement for statement in disk.statements if "invalidations" in statement]
    await append(database, "a")
    assert await _read_anew(listener, clock) == ["a"]


async def test_facts_count_for_less_than_a_second_after_a_reading(listener: Listener, clock: Clock, disk: Disk) -> None:
    assert listener.tail.fresh
    clock.now += 0.999
    assert listener.tail.fresh
    await listener.tail.catch_up()
    assert disk.statements == []
    clock.now += 0.001
    assert not listener.tail.fresh
    await listener.tail.catch_up()
    assert listener.tail.fresh


async def test_age_of_a_reading_counts_from_before_it(
    database: Database, listener: Listener, clock: Clock, disk: Disk
) -> None:
    """What was committed while a slow reading ran may have been missed."""
    clock.now += 1
    disk.stop()
    reading = asyncio.create_task(listener.tail.catch_up())
    await disk.reached.wait()
    clock.now += 2
    disk.go_on()
    await reading
    assert not listener.tail.fresh
    await append(database, "a")
    await listener.tail.catch_up()
    assert listener.heard == ["a"]


async def test_waiters_share_one_reading(listener: Listener, clock: Clock, disk: Disk) -> None:
    clock.now += 1
    await asyncio.gather(*(listener.tail.catch_up() for _ in range(50)))
    assert len(disk.statements) == 1


@pytest.mark.both_databases
async def test_emptied_log_drops_everything(database: Database, listener: Listener, clock: Clock) -> None:
    await append(database, "a")
    await _read_anew(listener, clock)
    await _execute(database, "DELETE FROM invalidations")
    assert await _read_anew(listener, clock) == [EVERYTHING]
    await append(database, "b")
    assert await _read_anew(listener, clock) == [EVERYTHING]
    await append(database, "c")
    assert await _read_anew(listener, clock) == ["c"]


@pytest.mark.both_databases
async def test_log_whose_end_lies_before_the_position_drops_everything(
    database: Database, listener: Listener, clock: Clock
) -> None:
    await append(database, "a", "b", "c")
    await _read_anew(listener, clock)
    await _execute(database, "DELETE FROM invalidations WHERE subject IN ('b', 'c')")
    assert await _read_anew(listener, clock) == [EVERYTHING]
    await append(database, "d")
    assert await _read_anew(listener, clock) == ["d"]


async def test_restored_backup_drops_everything_and_is_followed_from_there(
    database: Database, listener: Listener, clock: Clock, tmp_path: Path
) -> None:
    await append(database, "a")
    with closing(sqlite3.connect(tmp_path / "gateway.db")) as live, closing(sqlite3.connect(":memory:")) as backup:
        live.backup(backup)
        await append(database, "b", "c")
        assert await _read_anew(listener, clock) == ["a", "b", "c"]
        backup.backup(live)
    assert await _read_anew(listener, clock) == [EVERYTHING]
    await append(database, "d")
    assert await _read_anew(listener, clock) == ["d"]


@pytest.mark.both_databases
async def test_gap_between_position_and_beginning_drops_everything(
    database: Database, listener: Listener, clock: Clock
) -> None:
    """A long pause: what stood in between was purged."""
    await append(database, "a")
    await _read_anew(listener, clock)
    await append(database, "missed", "b", "c")
    await _execute(database, "DELETE FROM invalidations WHERE subject IN ('a', 'missed')")
    assert await _read_anew(listener, clock) == [EVERYTHING]
    await append(database, "d")
    assert await _read_anew(listener, clock) == ["d"]


@pytest.mark.both_databases
async def test_position_that_was_purged_drops_everything_though_its_neighbour_is_there(
    database: Database, listener: Listener, clock: Clock
) -> None:
    await append(database, "a")
    await _read_anew(listener, clock)
    await append(database, "b")
    await _execute(database, "DELETE FROM invalidations WHERE subject = 'a'")
    assert await _read_anew(listener, clock) == [EVERYTHING]


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE invalidations SET subject = 'z' WHERE subject = 'a'",
        "UPDATE invalidations SET created_at = '2026-01-01 00:00:00' WHERE subject = 'a'",
    ],
)
async def test_other_entry_of_the_same_number_drops_everything(
    database: Database, listener: Listener, clock: Clock, change: str
) -> None:
    """A backup that was restored, or a standby that took over, and has grown past our position."""
    await append(database, "a")
    await _read_anew(listener, clock)
    await append(database, "b")
    await _execute(database, change)
    assert await _read_anew(listener, clock) == [EVERYTHING]
    await append(database, "c")
    assert await _read_anew(listener, clock) == ["c"]


@pytest.mark.both_databases
async def test_first_entries_of_an_empty_log_drop_everything(database: Database, clock: Clock) -> None:
    """They may be those of a backup."""
    listener = Listener(database)
    await listener.tail.catch_up()
    await append(database, "a", "b")
    assert await _read_anew(listener, clock) == [EVERYTHING]
    await append(database, "c")
    assert await _read_anew(listener, clock) == ["c"]
    await listener.tail.close()


@pytest.mark.both_databases
async def test_purge_of_what_was_read_is_no_gap(database: Database, listener: Listener, clock: Clock) -> None:
    await append(database, "a", "b", "c")
    await _read_anew(listener, clock)
    await _execute(database, "DELETE FROM invalidations WHERE subject <> 'c'")
    assert await _read_anew(listener, clock) == []
    await append(database, "d")
    assert await _read_anew(listener, clock) == ["d"]


@pytest.mark.both_databases
async def test_numbers_never_come_back(database: Database, listener: Listener, clock: Clock) -> None:
    await append(database, "a", "b", "c")
    await _read_anew(listener, clock)
    last = (await _numbers(database))[-1]
    await _execute(database, "DELETE FROM invalidations")
    await append(database, "d")
    assert await _numbers(database) == [last + 1]
    assert await _read_anew(listener, clock) == [EVERYTHING]


async def test_outage_is_bridged_for_the_grace_and_no_longer(listener: Listener, clock: Clock, disk: Disk) -> None:
    """N2."""
    disk.broken = True
    clock.now += 1
    await listener.tail.catch_up()
    assert listener.tail.cut_off
    assert not listener.tail.fresh
    clock.now += GRACE.total_seconds() - 1
    await listener.tail.catch_up()
    clock.now += 0.25
    with pytest.raises(Unavailable):
        await listener.tail.catch_up()


async def test_without_a_grace_nothing_is_bridged(database: Database, clock: Clock, disk: Disk) -> None:
    """N2: `0` is strict."""
    listener = Listener(database, grace=timedelta(0))
    await listener.tail.catch_up()
    disk.broken = True
    clock.now += 1.001
    with pytest.raises(Unavailable):
        await listener.tail.catch_up()
    await listener.tail.close()


async def test_grace_is_for_whoever_had_contact_before(database: Database, clock: Clock, disk: Disk) -> None:
    disk.broken = True
    listener = Listener(database)
    for _ in range(2):
        with pytest.raises(Unavailable):
            await listener.tail.catch_up()
        clock.now += 0.1


async def test_grace_begins_with_the_last_contact_and_not_with_the_last_failure(
    listener: Listener, clock: Clock, disk: Disk
) -> None:
    disk.broken = True
    for _ in range(int(GRACE.total_seconds())):
        clock.now += 1
        await listener.tail.catch_up()
    clock.now += 1
    with pytest.raises(Unavailable):
        await listener.tail.catch_up()


async def test_outage_costs_one_look_per_interval(listener: Listener, clock: Clock, disk: Disk) -> None:
    disk.broken = True
    clock.now += 1
    # The first one is done again: a connection that broke says nothing about the database.
    for looks in range(2, 6):
        await asyncio.gather(*(listener.tail.catch_up() for _ in range(20)))
        clock.now += 0.2
        await listener.tail.catch_up()
        assert len(disk.statements) == looks
        clock.now += 0.1


async def test_nobody_waits_twice_for_a_database_that_is_silent(
    listener: Listener, clock: Clock, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first look costs a deadline; after it the background work asks on, and checks go by what they know."""
    monkeypatch.setattr(tail_module, "_READING_DEADLINE", timedelta(milliseconds=20))
    clock.now += 1
    disk.stop()
    await listener.tail.catch_up()
    assert listener.tail.cut_off
    clock.now += 0.5
    await listener.tail.catch_up()
    assert len(disk.statements) == 1
    disk.go_on()


async def test_deadline_that_passed_while_the_process_stood_still_is_no_outage(
    listener: Listener, database: Database, clock: Clock, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A7: known facts would count for it, and among them what was revoked meanwhile."""
    monkeypatch.setattr(tail_module, "_READING_DEADLINE", timedelta(milliseconds=100))
    await append(database, "a")
    clock.now += 1
    disk.stop()
    try:
        async with asyncio.timeout(5):
            reading = asyncio.create_task(listener.tail.catch_up())
            await disk.reached.wait()
            disk.reached.clear()
            clock.now += 5
            await disk.reached.wait()
    finally:
        disk.go_on()
    await reading
    assert (listener.heard, listener.tail.cut_off, listener.tail.fresh) == (["a"], False, True)


async def test_reading_anew_begins_after_what_is_under_way(listener: Listener, clock: Clock, disk: Disk) -> None:
    """What a doorbell missed was committed before, and a reading under way may have begun before that."""
    clock.now += 1
    disk.stop()
    under_way = asyncio.create_task(listener.tail.catch_up())
    await disk.reached.wait()
    anew = [asyncio.create_task(listener.tail.read_anew()) for _ in range(3)]
    clock.now += 2
    disk.go_on()
    await asyncio.gather(under_way, *anew)
    assert listener.tail.fresh
    assert len(disk.statements) == 2


async def test_outage_is_logged_once_when_it_begins_when_its_grace_ends_and_when_it_is_over(
    listener: Listener, clock: Clock, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail_module, "_INTERVAL", timedelta(0))
    with structlog.testing.capture_logs() as lines:
        disk.broken = True
        running = asyncio.create_task(listener.tail.run())
        async with asyncio.timeout(5):
            await until(lambda: listener.tail.cut_off)
            clock.now += GRACE.total_seconds() + 1
            for _ in range(3):
                await disk.expect("data_version").wait()
            disk.broken = False
            await until(lambda: not listener.tail.cut_off)
        running.cancel()
        await asyncio.wait([running])
    assert [(line["event"], line.get("grace_seconds"), line.get("doorbell_connected")) for line in lines] == [
        ("invalidation_log_unreadable", 60.0, False),
        ("outage_grace_over", None, False),
        ("invalidation_log_readable_again", None, None),
    ]
    assert "the database cannot do its work: " in lines[0]["error"]


async def test_running_tail_hears_again_after_a_silence(
    database: Database, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail_module, "_READING_DEADLINE", timedelta(milliseconds=200))
    monkeypatch.setattr(tail_module, "_INTERVAL", timedelta(milliseconds=1))
    await append(database, "a")
    listener = Listener(database)
    await listener.tail.catch_up()
    await append(database, "b")
    disk.stop()
    running = asyncio.create_task(listener.tail.run())
    async with asyncio.timeout(5):
        while not listener.tail.cut_off:
            disk.reached.clear()
            await disk.reached.wait()
        disk.go_on()
        await listener.rang.wait()
    assert listener.heard == ["b"]
    assert not listener.tail.cut_off
    running.cancel()
    await asyncio.wait([running])


async def test_entries_of_an_outage_are_heard_after_it(
    database: Database, listener: Listener, clock: Clock, disk: Disk
) -> None:
    disk.broken = True
    assert await _read_anew(listener, clock) == []
    disk.broken = False
    await append(database, "a")
    assert await _read_anew(listener, clock) == ["a"]
    assert not listener.tail.cut_off
    assert listener.tail.fresh


async def test_long_outage_uses_up_no_connections(
    database: Database, listener: Listener, clock: Clock, disk: Disk
) -> None:
    disk.broken = True
    for _ in range(40):
        clock.now += 1
        with suppress(Unavailable):
            await listener.tail.catch_up()
    disk.broken = False
    await append(database, "a")
    assert await _read_anew(listener, clock) == ["a"]


async def test_check_that_gives_up_during_a_reading_leaves_the_tail_usable(
    database: Database, listener: Listener, clock: Clock, disk: Disk
) -> None:
    """A check has a deadline; the next one must not find a connection in the middle of a statement."""
    await append(database, "a")
    clock.now += 1
    disk.stop()
    reading = asyncio.create_task(listener.tail.catch_up())
    await disk.reached.wait()
    reading.cancel()
    await asyncio.wait([reading])
    disk.go_on()
    await listener.tail.catch_up()
    assert listener.heard == ["a"]
    assert listener.tail.fresh


@pytest.mark.both_databases
async def test_running_tail_hears_by_itself(database: Database) -> None:
    listener = Listener(database)
    await append(database, BEFORE)
    await listener.tail.catch_up()
    running = asyncio.create_task(listener.tail.run())
    await append(database, "a")
    async with asyncio.timeout(5):
        await listener.rang.wait()
    assert set(listener.heard) == {"a"}
    running.cancel()
    await asyncio.wait([running])
    assert running.cancelled()


async def test_running_tail_outlives_an_outage(database: Database, disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail_module, "_INTERVAL", timedelta(milliseconds=1))
    listener = Listener(database)
    await listener.tail.catch_up()
    disk.broken = True
    running = asyncio.create_task(listener.tail.run())
    async with asyncio.timeout(5):
        await disk.expect("data_version").wait()
        disk.broken = False
        await append(database, "a")
        await listener.rang.wait()
    assert not running.done()
    running.cancel()
    await asyncio.wait([running])


async def test_first_reading_may_take_as_long_as_a_busy_start_takes(
    database: Database, disk: Disk, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail_module, "_READING_DEADLINE", timedelta(0))
    assert clock.now
    listener = Listener(database)
    disk.stop()
    beginning = asyncio.create_task(listener.tail.begin())
    await disk.reached.wait()
    disk.go_on()
    await beginning
    assert listener.tail.fresh
    assert not listener.tail.cut_off
    await listener.tail.close()
