"""The sealer: one chain without gaps, whoever records and however many seal."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import structlog
import time_machine

from gateway.audit.sealing import SEGMENT, Sealer
from gateway.config.database_url import DatabaseAddress
from gateway.storage.database import Database
from tests.support.audit import (
    BEGAN_AT,
    SEALS,
    ask,
    make_log,
    record_events,
    seal_everything,
    touch,
    verified,
)
from tests.support.database import Disk

NUMBERS = "SELECT number FROM audit_events ORDER BY number"
CHECKPOINTS = "SELECT number FROM audit_checkpoints ORDER BY number"
ONE_MORE = timedelta(seconds=1)


async def test_rows_are_numbered_without_gaps_and_each_has_a_seal_of_its_own(database: Database) -> None:
    await record_events(database, 20)
    assert (await verified(database)).unsealed == 20
    await seal_everything(database)
    assert await ask(database, NUMBERS) == list(range(1, 21))
    assert len(set(await ask(database, "SELECT seal FROM audit_events"))) == 20
    intact = await verified(database)
    assert (intact.rows, intact.unsealed) == (20, 0)
    assert intact.head is not None
    assert intact.head.number == 20


async def test_nothing_is_written_while_nothing_waits(database: Database, disk: Disk) -> None:
    await make_log(database, segments=1, of=3)
    sealer = Sealer(database, seals=SEALS)
    with time_machine.travel(BEGAN_AT + ONE_MORE):
        disk.statements.clear()
        assert await sealer.seal() == 0
    assert disk.statements
    assert not [one for one in disk.statements if not one.lstrip().startswith("SELECT")]


@pytest.mark.both_databases
async def test_two_sealers_make_one_chain(database: Database, database_address: DatabaseAddress) -> None:
    """N1: two processes that seal the same rows at the same time cannot fork the chain."""
    other = Database.open(database_address)
    try:
        sealers = [Sealer(one, seals=SEALS) for one in (database, other)]

        async def record_and_seal(one: Database, sealer: Sealer) -> None:
            for _ in range(20):
                await record_events(one, 3)
                await sealer.seal()

        await asyncio.gather(*(record_and_seal(one, by) for one, by in zip((database, other), sealers, strict=True)))
        await seal_everything(database, sealers[0])
    finally:
        await other.close()
    assert await ask(database, NUMBERS) == list(range(1, 121))
    assert (await verified(database)).rows == 120


async def test_transactions_are_bounded_and_end_at_checkpoints(database: Database) -> None:
    await record_events(database, 2 * SEGMENT + 10)
    sealer = Sealer(database, seals=SEALS)
    assert [await sealer.seal() for _ in range(4)] == [SEGMENT, SEGMENT, 10, 0]
    assert await ask(database, CHECKPOINTS) == [SEGMENT, 2 * SEGMENT]
    assert (await verified(database)).rows == 2 * SEGMENT + 10


async def test_checkpoint_is_made_with_the_first_row_and_each_hour_with_news(database: Database) -> None:
    sealer = Sealer(database, seals=SEALS)
    with time_machine.travel(BEGAN_AT, tick=False) as traveller:
        await record_events(database, 2)
        await seal_everything(database, sealer)
        assert await ask(database, CHECKPOINTS) == [2]
        await record_events(database, 2)
        await seal_everything(database, sealer)
        traveller.shift(timedelta(minutes=59))
        await seal_everything(database, sealer)
        assert await ask(database, CHECKPOINTS) == [2], "not yet"
        traveller.shift(timedelta(minutes=1))
        await seal_everything(database, sealer)
        assert await ask(database, CHECKPOINTS) == [2, 4]
        traveller.shift(timedelta(hours=5))
        await seal_everything(database, sealer)
        assert await ask(database, CHECKPOINTS) == [2, 4], "without news there is nothing to vouch for"


async def test_each_checkpoint_is_said_in_the_log(database: Database) -> None:
    await record_events(database, 3)
    with structlog.testing.capture_logs() as lines:
        await seal_everything(database)
    head = (await verified(database)).head
    assert head is not None
    said = [line for line in lines if line["event"] == "audit_checkpoint"]
    assert [(line["number"], line["seal"]) for line in said] == [(3, head.seal.hex())]


async def test_running_sealer_gives_no_number_twice_when_the_tail_was_cut(database: Database) -> None:
    sealer = Sealer(database, seals=SEALS)
    await record_events(database, 3)
    await seal_everything(database, sealer)
    await record_events(database, 4)
    await seal_everything(database, sealer)
    await touch(database, "DELETE FROM audit_events WHERE number > 5")
    await record_events(database, 1)
    with structlog.testing.capture_logs() as lines:
        await seal_everything(database, sealer)
    assert await ask(database, NUMBERS) == [1, 2, 3, 4, 5, 8], "the gap stays to be seen"
    assert [(line["last"], line["was"]) for line in lines if line["event"] == "audit_log_cut"] == [(5, 7)]


async def test_sealer_survives_a_broken_disk_and_says_so_once(database: Database, disk: Disk) -> None:
    await record_events(database, 3)
    sealer = Sealer(database, seals=SEALS)
    disk.broken = True
    with structlog.testing.capture_logs() as lines:
        for _ in range(3):
            await sealer.seal_all()
    assert [line["event"] for line in lines] == ["audit_sealing_failed"]
    assert "the database cannot do its work" in lines[0]["error"]
    disk.broken = False
    await sealer.seal_all()
    assert (await verified(database)).rows == 3
