"""A process that has more to do than it can: it is slow, and the database is there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from gateway.facts.cache import FactsCache
from gateway.facts.facts import session_subject
from gateway.storage.database import Database
from tests.facts.conftest import Store, known
from tests.support.database import append

# How long all the other connections take, each time that it is the tail's turn.
_TURN_SECONDS = 0.15


@asynccontextmanager
async def _busy() -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    ended = False

    def work() -> None:
        if not ended:
            time.sleep(_TURN_SECONDS)
            loop.call_soon(work)

    loop.call_soon(work)
    try:
        yield
    finally:
        ended = True


@pytest.mark.both_databases
async def test_busy_process_takes_its_own_slowness_for_no_outage(database: Database) -> None:
    """A7: known credentials would go on counting for the outage grace, whoever revoked them."""
    await append(database, "appended before anybody read the log")
    cache = FactsCache(database, max_entries=3, max_age=timedelta(minutes=5), outage_grace=timedelta(seconds=60))
    await cache.tail.catch_up()
    await known(cache)
    await append(database, session_subject("s1"))
    # Facts do not count any more without another look.
    await asyncio.sleep(1)
    async with _busy():
        assert await cache.fetch(b"d", Store(None).load) is None
    assert not cache.tail.cut_off
    await cache.tail.close()


@pytest.mark.both_databases
@pytest.mark.parametrize("turns", range(4))
async def test_process_that_is_held_up_for_a_little_longer_than_the_deadline_sees_no_outage(
    database: Database, turns: int
) -> None:
    """Wherever in a reading that happens: the answer is there, or on its way."""
    cache = FactsCache(database, max_entries=3, max_age=timedelta(minutes=5), outage_grace=timedelta(seconds=60))
    await cache.tail.catch_up()
    reading = asyncio.create_task(cache.tail.read_anew())
    for _ in range(turns):
        await asyncio.sleep(0)
    time.sleep(1.1)  # noqa: ASYNC251 - that is what is tested
    await reading
    assert not cache.tail.cut_off
    await cache.tail.close()
