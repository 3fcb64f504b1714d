"""The tail on PostgreSQL: what it hears before it reads, and what becomes of its connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import structlog

from gateway.config.database_url import PostgresqlServer
from gateway.errors import Unavailable
from gateway.facts.cache import FactsCache
from gateway.facts.facts import account_subject, session_subject
from gateway.storage.database import Database
from tests.facts.conftest import AGE, FromDatabase, known
from tests.support.database import append
from tests.support.servers.postgresql import PostgresqlProcess
from tests.support.servers.relay import Relay, running_relay
from tests.support.waiting import until

GRACE = timedelta(seconds=3)
# What the log alone needs is more than this.
AT_ONCE = 0.2


@pytest.fixture
async def relay(postgresql: PostgresqlProcess) -> AsyncIterator[Relay]:
    async with running_relay(postgresql.port) as relay:
        yield relay


@pytest.fixture
async def url(postgresql: PostgresqlProcess) -> str:
    return postgresql.new_database()


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    """The database as others reach it, whatever the relay does."""
    database = Database.open(PostgresqlServer(url))
    yield database
    await database.close()


@pytest.fixture
async def behind_relay(
    database: Database, url: str, postgresql: PostgresqlProcess, relay: Relay
) -> AsyncIterator[Database]:
    """The same, with a log that has begun."""
    await append(database, "appended before anybody read the log")
    behind_relay = Database.open(PostgresqlServer(url.replace(f":{postgresql.port}/", f":{relay.port}/")))
    yield behind_relay
    await relay.pass_on()
    await behind_relay.close()


@pytest.fixture
async def cache(behind_relay: Database) -> AsyncIterator[FactsCache]:
    """A cache whose tail runs."""
    cache = FactsCache(behind_relay, max_entries=10, max_age=AGE, outage_grace=GRACE)
    await cache.tail.begin()
    running = asyncio.create_task(cache.tail.run())
    yield cache
    running.cancel()
    await asyncio.wait([running])


async def _until_dropped(cache: FactsCache, *, seconds: float = 1) -> None:
    await until(lambda: len(cache) == 0, seconds=seconds)


async def test_commit_rings_at_once(cache: FactsCache, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.facts.tail._INTERVAL", timedelta(seconds=30))
    await cache.tail.read_anew()
    # The pause that had begun is still a short one.
    await asyncio.sleep(0.3)
    await known(cache)
    await append(database, account_subject("ada"))
    await _until_dropped(cache, seconds=AT_ONCE)


async def test_what_rang_is_read_again_by_its_number(
    cache: FactsCache, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    monkeypatch.setattr(cache.tail, "_apply", heard.append)
    await append(database, session_subject("s1"))
    await cache.tail.read_anew()
    assert heard == [session_subject("s1")]


async def test_foreign_notifications_are_ignored(
    cache: FactsCache, url: str, postgresql: PostgresqlProcess, database: Database
) -> None:
    await known(cache)
    for payload in ("", "nonsense", "x" * 7000, "account:ada or something"):
        postgresql.execute(f"NOTIFY gateway_invalidations, '{payload}'", database=url.rpartition("/")[2])
    await append(database, session_subject("another"))
    await cache.tail.read_anew()
    assert cache.find(b"d")


async def test_connection_that_the_server_ended_is_replaced_without_an_outage(
    cache: FactsCache, url: str, postgresql: PostgresqlProcess, database: Database
) -> None:
    """It listens as well: the next commit rings again."""
    loaded = await known(cache)
    name = url.rpartition("/")[2]
    ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
    postgresql.execute(f"{ended} pg_backend_pid()", database=name)
    with structlog.testing.capture_logs() as lines:
        await cache.tail.read_anew()
    assert lines == []
    assert cache.find(b"d") is loaded
    await append(database, account_subject("ada"))
    await _until_dropped(cache)


async def test_known_credentials_pass_a_silent_database_quickly_until_the_grace_is_over(
    cache: FactsCache, behind_relay: Database, relay: Relay
) -> None:
    """N2. Nobody waits for it: neither known credentials nor unknown ones."""
    loaded, store = await known(cache), FromDatabase(behind_relay)
    await relay.black_hole()
    async with asyncio.timeout(1.4):
        while not cache.tail.cut_off:
            assert await cache.fetch(b"d", store.load) is loaded
            await asyncio.sleep(0.01)
    async with asyncio.timeout(0.1):
        assert await cache.fetch(b"d", store.load) is loaded
        with pytest.raises(Unavailable):
            await cache.fetch(b"new", store.load)
    async with asyncio.timeout(GRACE.total_seconds() + 1):
        while True:
            try:
                await cache.fetch(b"d", store.load)
            except Unavailable:
                break
            await asyncio.sleep(0.05)
    assert cache.tail.contact.grace_over


async def test_all_heals_after_a_silence_and_what_was_revoked_meanwhile_is_gone(
    cache: FactsCache, behind_relay: Database, database: Database, relay: Relay
) -> None:
    await known(cache)
    await relay.black_hole()
    await until(lambda: cache.tail.cut_off, seconds=1.4)
    await append(database, account_subject("ada"))
    await relay.pass_on()
    await _until_dropped(cache, seconds=2)
    assert await cache.fetch(b"d", FromDatabase(behind_relay, None).load) is None


@pytest.mark.parametrize("outage", ["refuse", "cut"])
async def test_lost_connections_heal_by_themselves(
    cache: FactsCache, behind_relay: Database, database: Database, relay: Relay, outage: str
) -> None:
    loaded, store = await known(cache), FromDatabase(behind_relay)
    await getattr(relay, outage)()
    assert await cache.fetch(b"d", store.load) is loaded
    await append(database, account_subject("ada"))
    await relay.pass_on()
    await _until_dropped(cache)
    assert not cache.tail.cut_off
