"""The cache of facts: bounded, never older than it may be, and dropped by what concerns it."""

from __future__ import annotations

import pytest

from gateway.facts.cache import FactsCache
from gateway.facts.facts import EVERYTHING, account_subject, session_subject
from gateway.storage.database import Database
from tests.facts.conftest import AGE, ENTRIES, Clock, Store, facts, known
from tests.support.database import Disk, append


async def test_known_facts_cost_no_input_or_output(cache: FactsCache, disk: Disk) -> None:
    loaded = await known(cache)
    disk.broken = True
    store = Store()
    assert cache.find(b"d") is loaded
    assert await cache.fetch(b"d", store.load) is loaded
    assert (store.asked, disk.statements) == (0, [])


async def test_unknown_digest_is_not_found(cache: FactsCache) -> None:
    await known(cache)
    assert cache.find(b"other") is None


async def test_least_recently_used_facts_make_room(cache: FactsCache) -> None:
    for digest in (b"1", b"2", b"3"):
        await known(cache, digest, facts(session=digest.decode()))
    assert cache.find(b"1")
    await known(cache, b"4", facts(session="4"))
    assert len(cache) == ENTRIES
    assert cache.find(b"2") is None
    assert all(cache.find(digest) for digest in (b"1", b"3", b"4"))


async def test_flood_of_credentials_stays_within_the_bound(cache: FactsCache) -> None:
    for number in range(100):
        await known(cache, str(number).encode(), facts(account=str(number), session=f"s{number}"))
    assert len(cache) == ENTRIES
    assert len(cache._by_subject) == 2 * ENTRIES  # noqa: SLF001 - what is remembered about dropped ones must go with them
    assert not cache._flights  # noqa: SLF001 - as above


async def test_flood_of_credentials_that_are_no_good_leaves_nothing(cache: FactsCache) -> None:
    async def load() -> None:
        return None

    for number in range(100):
        assert await cache.fetch(str(number).encode(), load) is None
    assert (len(cache), len(cache._by_subject), cache._flights) == (0, 0, {})  # noqa: SLF001 - as above


async def test_facts_are_loaded_again_when_they_are_old(cache: FactsCache, clock: Clock) -> None:
    await known(cache)
    clock.now += AGE.total_seconds()
    await cache.tail.catch_up()
    assert cache.find(b"d")
    clock.now += 0.5
    assert cache.find(b"d") is None
    fresh = Store()
    assert await cache.fetch(b"d", fresh.load) is fresh.found[0]
    assert cache.find(b"d") is fresh.found[0]


async def test_use_does_not_make_facts_younger(cache: FactsCache, clock: Clock) -> None:
    await known(cache)
    for _ in range(int(AGE.total_seconds()) + 1):
        clock.now += 1
        await cache.tail.catch_up()
        cache.find(b"d")
    assert cache.find(b"d") is None


@pytest.mark.parametrize(
    ("subject", "left"),
    [
        (account_subject("ada"), {b"eve"}),
        (session_subject("a1"), {b"a2", b"eve"}),
        (session_subject("nobody's"), {b"a1", b"a2", b"eve"}),
        ("account:a", {b"a1", b"a2", b"eve"}),
        (EVERYTHING, set()),
    ],
)
async def test_entry_drops_what_it_concerns_and_nothing_else(cache: FactsCache, subject: str, left: set[bytes]) -> None:
    for digest, account in ((b"a1", "ada"), (b"a2", "ada"), (b"eve", "eve")):
        await known(cache, digest, facts(account, digest.decode()))
    cache.apply(subject)
    assert {digest for digest in (b"a1", b"a2", b"eve") if cache.find(digest)} == left


async def test_doorbell_applies_at_once_and_never_moves_the_position(
    database: Database, cache: FactsCache, clock: Clock
) -> None:
    await known(cache)
    await append(database, session_subject("missed by the doorbell"), account_subject("ada"))
    await known(cache, b"m", facts("eve", "missed by the doorbell"))
    cache.apply(account_subject("ada"))
    assert cache.find(b"d") is None
    clock.now += 1
    await cache.tail.catch_up()
    assert cache.find(b"m") is None, "the entry before the one that rang is read by its number"


@pytest.mark.parametrize(
    "payload", ["", "account:", "account:eve", "password:ada@x.com", "account:ada\n", "xaccount:ada", "*" * 200, "\0"]
)
async def test_whatever_else_rings_changes_nothing(cache: FactsCache, payload: str) -> None:
    loaded = await known(cache)
    cache.hear(payload)
    assert cache.find(b"d") is loaded


@pytest.mark.parametrize("payload", [account_subject("ada"), session_subject("s1"), EVERYTHING])
async def test_what_rings_is_dropped_at_once(cache: FactsCache, payload: str) -> None:
    await known(cache)
    cache.hear(payload)
    assert cache.find(b"d") is None


async def test_nothing_is_learnt_at_once_before_the_log_is_read_again(cache: FactsCache, clock: Clock) -> None:
    """What was revoked since the last reading is not known yet; also if there is nothing in the log that says so."""
    assert cache.learn(b"d", facts) is cache.find(b"d") is not None
    clock.now += 1
    assert cache.learn(b"other", facts) is None
    await cache.tail.catch_up()
    assert cache.find(b"other") is None
    assert cache.learn(b"other", facts) is cache.find(b"other") is not None


async def test_credential_that_is_not_good_is_asked_for_each_time(cache: FactsCache) -> None:
    """Facts, never verdicts."""
    store = Store(None)
    assert await cache.fetch(b"d", store.load) is None
    assert await cache.fetch(b"d", store.load) is None
    assert (store.asked, len(cache)) == (2, 0)


async def test_credential_that_was_good_and_is_no_more_is_forgotten(cache: FactsCache) -> None:
    await known(cache)
    assert await cache.fetch(b"d", Store(None).load, again=True) is None
    assert cache.find(b"d") is None


async def test_again_loads_whatever_is_known(cache: FactsCache) -> None:
    before = await known(cache)
    store = Store()
    after = await cache.fetch(b"d", store.load, again=True)
    assert after is store.found[0]
    assert after is not before
    assert cache.find(b"d") is after


async def test_lost_log_drops_all_facts(database: Database, cache: FactsCache, clock: Clock) -> None:
    await append(database, "x")
    clock.now += 1
    await cache.tail.catch_up()
    await known(cache, b"1", facts("ada", "a"))
    await known(cache, b"2", facts("eve", "e"))
    async with database.write() as connection:
        await connection.exec_driver_sql("DELETE FROM invalidations")
    clock.now += 1
    await cache.tail.catch_up()
    assert len(cache) == 0
