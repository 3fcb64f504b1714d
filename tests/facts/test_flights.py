"""Loads in flight: one for all who wait, and none that began before a revocation counts after it."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from gateway.errors import InvalidToken, Unavailable
from gateway.facts.cache import FactsCache
from gateway.facts.facts import EVERYTHING, Facts, account_subject, session_subject
from gateway.storage.database import Database
from tests.facts.conftest import Clock, Store, facts, known
from tests.support.database import append


async def test_load_for_one_digest_flies_once_for_all(cache: FactsCache) -> None:
    store = Store()
    store.hold()
    waiters = [asyncio.create_task(cache.fetch(b"d", store.load)) for _ in range(50)]
    await store.reached.wait()
    store.answers.set()
    assert {id(found) for found in await asyncio.gather(*waiters)} == {id(store.found[0])}
    assert store.asked == 1


async def test_loads_for_different_digests_do_not_wait_for_each_other(cache: FactsCache) -> None:
    slow = Store()
    slow.hold()
    waiting = asyncio.create_task(cache.fetch(b"slow", slow.load))
    await slow.reached.wait()
    await known(cache, b"other")
    slow.answers.set()
    assert await waiting


@pytest.mark.parametrize("subject", [account_subject("ada"), session_subject("s1"), EVERYTHING])
async def test_load_that_began_before_an_entry_about_it_is_done_again(cache: FactsCache, subject: str) -> None:
    """A7."""
    before, after = facts(), facts()
    store = Store(before, after)
    store.hold()
    waiting = asyncio.create_task(cache.fetch(b"d", store.load))
    await store.reached.wait()
    cache.apply(subject)
    store.answers.set()
    assert await waiting is after
    assert store.asked == 2
    assert cache.find(b"d") is after


async def test_entry_is_heard_from_the_log_while_a_load_runs(
    database: Database, cache: FactsCache, clock: Clock
) -> None:
    """A7: another process revoked; nobody rang."""
    store = Store(facts(), None)
    store.hold()
    waiting = asyncio.create_task(cache.fetch(b"d", store.load))
    await store.reached.wait()
    await append(database, account_subject("ada"))
    clock.now += 1
    await cache.tail.catch_up()
    store.answers.set()
    assert await waiting is None
    assert cache.find(b"d") is None


async def test_load_is_done_again_for_each_entry_that_overtakes_it(cache: FactsCache) -> None:
    store = Store()

    async def load() -> Facts | None:
        found = await store.load()
        if store.asked < 3:
            cache.apply(session_subject("s1"))
        return found

    assert await cache.fetch(b"d", load)
    assert store.asked == 3


async def test_entry_about_somebody_else_does_not_repeat_a_load(cache: FactsCache) -> None:
    store = Store()
    store.hold()
    waiting = asyncio.create_task(cache.fetch(b"d", store.load))
    await store.reached.wait()
    cache.apply(account_subject("eve"))
    cache.apply(session_subject("s2"))
    store.answers.set()
    assert await waiting is store.found[0]
    assert store.asked == 1


async def test_load_that_missed_more_entries_than_are_remembered_is_done_again(cache: FactsCache) -> None:
    store = Store()
    store.hold()
    waiting = asyncio.create_task(cache.fetch(b"d", store.load))
    await store.reached.wait()
    cache.apply(account_subject("ada"))
    for number in range(10_000):
        cache.apply(account_subject(str(number)))
    store.answers.set()
    assert await waiting
    assert store.asked == 2


async def test_entry_before_a_load_does_not_repeat_it(cache: FactsCache) -> None:
    cache.apply(account_subject("ada"))
    store = Store()
    assert await cache.fetch(b"d", store.load)
    assert store.asked == 1


async def test_error_of_a_load_reaches_every_waiter_and_the_next_one_tries_anew(cache: FactsCache) -> None:
    reached = asyncio.Event()

    async def fail() -> Facts | None:
        await reached.wait()
        raise InvalidToken

    waiters = [asyncio.create_task(cache.fetch(b"d", fail)) for _ in range(3)]
    await asyncio.sleep(0)
    reached.set()
    outcomes = await asyncio.gather(*waiters, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {InvalidToken}
    assert cache.find(b"d") is None
    await known(cache)


async def test_waiter_that_gives_up_does_not_take_the_load_from_the_others(cache: FactsCache) -> None:
    store = Store()
    store.hold()
    first = asyncio.create_task(cache.fetch(b"d", store.load))
    await store.reached.wait()
    second = asyncio.create_task(cache.fetch(b"d", store.load))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first])
    store.answers.set()
    assert await second is store.found[0]
    assert (first.cancelled(), store.asked) == (True, 1)


@pytest.mark.parametrize("fails", [False, True])
async def test_load_that_nobody_waits_for_any_more_ends_quietly(cache: FactsCache, fails: bool) -> None:  # noqa: FBT001
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
    store = Store()
    store.hold()

    async def load() -> Facts | None:
        found = await store.load()
        if fails:
            raise Unavailable
        return found

    waiting = asyncio.create_task(cache.fetch(b"d", load))
    await store.reached.wait()
    waiting.cancel()
    await asyncio.wait([waiting])
    store.answers.set()
    del waiting
    # The load has to end, and the garbage collector to see it, before anything could complain.
    for _ in range(5):
        await asyncio.sleep(0)
    gc.collect()
    assert complaints == []
    assert bool(cache.find(b"d")) is not fails
    await known(cache)
