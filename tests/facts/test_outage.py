"""The cache while the log cannot be read: after a pause, during an outage, and after it."""

from __future__ import annotations

import asyncio

import pytest

from gateway.errors import Unavailable
from gateway.facts.cache import FactsCache
from gateway.facts.facts import account_subject, session_subject
from gateway.storage.database import Database
from tests.facts.conftest import AGE, GRACE, Clock, FromDatabase, Store, known
from tests.support.database import Disk, append


async def test_process_that_was_stopped_reads_the_log_first(
    database: Database, cache: FactsCache, clock: Clock
) -> None:
    """A7: continued after a pause, facts count only once the log was read."""
    await known(cache)
    await append(database, session_subject("s1"))
    clock.now += 1
    assert cache.find(b"d") is None
    store = Store(None)
    assert await cache.fetch(b"d", store.load) is None
    assert store.asked == 1


async def test_after_a_pause_facts_that_nothing_concerned_still_count(
    database: Database, cache: FactsCache, clock: Clock
) -> None:
    before = await known(cache)
    await append(database, session_subject("s2"))
    clock.now += 30
    store = Store()
    assert await cache.fetch(b"d", store.load) is before
    assert store.asked == 0


async def test_known_credentials_pass_during_an_outage_whatever_their_age(
    database: Database, cache: FactsCache, clock: Clock, disk: Disk
) -> None:
    """N2."""
    clock.now += 1
    await cache.tail.catch_up()
    before = await known(cache)
    clock.now += AGE.total_seconds() - 1
    await cache.tail.catch_up()
    disk.broken = True
    store = FromDatabase(database)
    for _ in range(int(GRACE.total_seconds())):
        clock.now += 1
        assert (cache.find(b"d") or await cache.fetch(b"d", store.load)) is before
    assert store.asked == 0


async def test_after_the_grace_nothing_passes(database: Database, cache: FactsCache, clock: Clock, disk: Disk) -> None:
    """N2: 503, never "allow" and never a redirect to the login page."""
    await known(cache)
    disk.broken = True
    clock.now += 1
    assert await cache.fetch(b"d", FromDatabase(database).load)
    clock.now += GRACE.total_seconds()
    assert cache.find(b"d") is None
    with pytest.raises(Unavailable):
        await cache.fetch(b"d", FromDatabase(database).load)


async def test_unknown_credential_is_unavailable_during_an_outage(
    database: Database, cache: FactsCache, clock: Clock, disk: Disk
) -> None:
    """N2."""
    disk.broken = True
    clock.now += 1
    with pytest.raises(Unavailable):
        await cache.fetch(b"new", FromDatabase(database).load)


async def test_doorbell_still_drops_facts_during_an_outage(
    database: Database, cache: FactsCache, clock: Clock, disk: Disk
) -> None:
    await known(cache)
    disk.broken = True
    clock.now += 1
    assert await cache.fetch(b"d", FromDatabase(database).load)
    cache.apply(session_subject("s1"))
    with pytest.raises(Unavailable):
        await cache.fetch(b"d", FromDatabase(database).load)


async def test_after_an_outage_old_facts_are_loaded_again(
    database: Database, cache: FactsCache, clock: Clock, disk: Disk
) -> None:
    before = await known(cache)
    disk.broken = True
    clock.now += AGE.total_seconds() - 250
    await cache.fetch(b"d", FromDatabase(database).load)
    disk.broken = False
    clock.now += 251
    after = await cache.fetch(b"d", FromDatabase(database).load)
    assert after is not before


async def test_what_was_revoked_during_an_outage_is_gone_after_it(
    database: Database, cache: FactsCache, clock: Clock, disk: Disk
) -> None:
    await known(cache)
    disk.broken = True
    clock.now += 1
    assert await cache.fetch(b"d", FromDatabase(database).load)
    disk.broken = False
    await append(database, account_subject("ada"))
    clock.now += 1
    assert await cache.fetch(b"d", FromDatabase(database, None).load) is None


async def test_known_credentials_pass_while_the_database_does_not_answer(
    database: Database, cache: FactsCache, clock: Clock, disk: Disk
) -> None:
    """N2: slow is an outage as well, and a check has 1.5 s in all."""
    before = await known(cache)
    clock.now += 1
    disk.stop()
    try:
        async with asyncio.timeout(1.4):
            assert await cache.fetch(b"d", FromDatabase(database).load) is before
    finally:
        disk.go_on()
