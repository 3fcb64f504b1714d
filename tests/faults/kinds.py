"""The faults, each done to a site for some seconds and undone, and what is promised meanwhile."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from functools import partial
from signal import SIGINT, SIGKILL, SIGQUIT, Signals

from redis.asyncio import Redis

from tests.faults.site import DEFAULT_SETUP, Setup, Site
from tests.support.servers.relay import Relay

_BETWEEN_REPLACEMENTS_SECONDS = 5


class Promise(Enum):
    """Who is answered while the fault lasts; nobody is ever let in who must not be."""

    EVERYBODY = "everybody"
    WARM = "who was known"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of the table."""

    name: str
    happen: Callable[[Site, float], Awaitable[None]]
    promise: Promise
    seconds: float = 4
    setup: Setup = DEFAULT_SETUP
    checks_per_second: int = 60


async def _redis_stopped(site: Site, seconds: float) -> None:
    """Redis keeps nothing: it comes back empty."""
    await asyncio.to_thread(site.redis.stop)
    await asyncio.sleep(seconds)
    await asyncio.to_thread(site.redis.start)


async def _redis_frozen(site: Site, seconds: float) -> None:
    site.redis.freeze()
    await asyncio.sleep(seconds)
    site.redis.thaw()


async def _redis_flushed(site: Site, seconds: float) -> None:
    client = Redis.from_url(site.redis.url)
    try:
        for _ in range(4):
            await client.flushall()
            await asyncio.sleep(seconds / 4)
    finally:
        await client.aclose()


async def _relays(site: Site, seconds: float, *, which: str, how: Callable[[Relay], Awaitable[None]]) -> None:
    """Do something to the way of every replica to one of its servers."""
    relays = [getattr(replica, which) for replica in site.replicas]
    for relay in relays:
        await how(relay)
    await asyncio.sleep(seconds)
    for relay in relays:
        await relay.pass_on()


async def _postgresql_stopped(site: Site, seconds: float, *, number: Signals = SIGINT) -> None:
    assert site.postgresql is not None
    await asyncio.to_thread(site.postgresql.stop, number)
    await asyncio.sleep(seconds)
    await asyncio.to_thread(site.postgresql.start)


async def _postgresql_killed(site: Site, seconds: float) -> None:
    """Let it die without a word to its disk; what was answered must be there, so the commit is waited for here."""
    assert site.postgresql is not None
    statement = f"ALTER DATABASE {site.database_name} SET synchronous_commit = on"
    await asyncio.to_thread(site.postgresql.execute, statement)
    await _relays(site, 0, which="database", how=Relay.cut)
    await asyncio.sleep(1)
    await _postgresql_stopped(site, seconds, number=SIGQUIT)


async def _postgresql_read_only(site: Site, seconds: float) -> None:
    assert site.postgresql is not None
    for setting in ("on", "off"):
        # One statement each: ALTER SYSTEM wants no transaction around it.
        for statement in (f"ALTER SYSTEM SET default_transaction_read_only = {setting}", "SELECT pg_reload_conf()"):
            await asyncio.to_thread(site.postgresql.execute, statement)
        await asyncio.sleep(seconds if setting == "on" else 0)


async def cut_off(site: Site, seconds: float, *, doorbell: bool, how: Callable[[Relay], Awaitable[None]]) -> None:
    """Take the database from the second replica, and with `doorbell` what it could hear by as well."""
    one = site.replicas[1]
    assert one.database is not None
    assert one.redis is not None
    since = time.monotonic()
    await how(one.database)
    if doorbell:
        await how(one.redis)
    await asyncio.sleep(seconds)
    await one.redis.pass_on()
    await one.database.pass_on()
    if doorbell:
        site.note_cut_off(one, since)


async def _replica_stopped(site: Site, seconds: float, *, at_once: bool) -> None:
    one = site.replicas[1]
    await (one.kill() if at_once else one.stop())
    await asyncio.sleep(seconds)
    await one.start()


async def _replica_frozen(site: Site, seconds: float) -> None:
    site.replicas[1].process.freeze()
    await asyncio.sleep(seconds)
    site.replicas[1].process.thaw()


async def _worker_killed(site: Site, seconds: float) -> None:
    for _ in range(3):
        os.kill(site.replicas[0].process.workers[-1], SIGKILL)
        await asyncio.sleep(seconds / 3)


async def _replaced(site: Site, seconds: float) -> None:
    """Replace the workers one by one, again and again."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        site.replicas[0].process.reload()
        await asyncio.sleep(_BETWEEN_REPLACEMENTS_SECONDS)


async def _reloaded_badly(site: Site, seconds: float) -> None:
    config = site.replicas[0].config
    good = config.read_text()
    for bad in ("access_control: {default_policy: one", "no_such_setting: 1\n", ""):
        config.write_text(bad)
        site.replicas[0].process.reload()
        await asyncio.sleep(seconds / 3)
    config.write_text(good)


async def _sqlite_locked(site: Site, seconds: float) -> None:
    """Somebody else writes, and does not come to an end."""
    other = sqlite3.connect(site.sqlite_file, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        await asyncio.sleep(seconds)
        other.execute("ROLLBACK")
    finally:
        other.close()


async def _disk_full(site: Site, seconds: float) -> None:
    filler = site.sqlite_file.with_name("filler")
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    await asyncio.sleep(seconds)
    filler.unlink()


_NGINX = Setup(behind_nginx=True)
_WORKERS = Setup(replicas=1, workers=2, behind_nginx=True)
_SQLITE = Setup(replicas=1, on_sqlite=True)
_SMALL_DISK = Setup(replicas=1, on_sqlite=True, disk_megabytes=8)


def _slowly(relay: Relay) -> Awaitable[None]:
    return relay.delay(0.1)


FAULTS = (
    Fault("Redis stopped, started empty", _redis_stopped, Promise.EVERYBODY),
    Fault("Redis frozen", _redis_frozen, Promise.EVERYBODY),
    Fault("Redis flushed", _redis_flushed, Promise.EVERYBODY),
    Fault("Redis in a black hole", partial(_relays, which="redis", how=Relay.black_hole), Promise.EVERYBODY),
    Fault("Redis connections cut", partial(_relays, which="redis", how=Relay.cut), Promise.EVERYBODY),
    Fault("Redis slow (100 ms each way)", partial(_relays, which="redis", how=_slowly), Promise.EVERYBODY),
    Fault("PostgreSQL stopped", _postgresql_stopped, Promise.WARM, seconds=30),
    Fault("PostgreSQL restarted", _postgresql_stopped, Promise.WARM, seconds=0),
    Fault("PostgreSQL killed", _postgresql_killed, Promise.WARM, seconds=1),
    Fault("PostgreSQL in a black hole", partial(_relays, which="database", how=Relay.black_hole), Promise.WARM),
    Fault("PostgreSQL connections cut", partial(_relays, which="database", how=Relay.cut), Promise.WARM, seconds=2),
    Fault("PostgreSQL slow (100 ms each way)", partial(_relays, which="database", how=_slowly), Promise.WARM),
    Fault("PostgreSQL read-only", _postgresql_read_only, Promise.WARM),
    Fault(
        "one replica cut off from the database",
        partial(cut_off, doorbell=False, how=Relay.refuse),
        Promise.WARM,
        seconds=8,
    ),
    Fault("the same, in a black hole", partial(cut_off, doorbell=False, how=Relay.black_hole), Promise.WARM, seconds=8),
    Fault(
        "cut off from both, grace 4 s",
        partial(cut_off, doorbell=True, how=Relay.refuse),
        Promise.NOBODY,
        seconds=10,
        setup=Setup(grace_seconds=4),
    ),
    Fault(
        "the same, in a black hole",
        partial(cut_off, doorbell=True, how=Relay.black_hole),
        Promise.NOBODY,
        seconds=10,
        setup=Setup(grace_seconds=4),
    ),
    Fault(
        "PostgreSQL away for longer than the grace",
        partial(_relays, which="database", how=Relay.refuse),
        Promise.NOBODY,
        seconds=8,
        setup=Setup(grace_seconds=4),
    ),
    Fault(
        "cut off from both, no grace",
        partial(cut_off, doorbell=True, how=Relay.refuse),
        Promise.NOBODY,
        seconds=5,
        setup=Setup(grace_seconds=0),
    ),
    Fault("gateway frozen for 5 s", _replica_frozen, Promise.NOBODY, seconds=5),
    Fault("gateway killed, behind nginx", partial(_replica_stopped, at_once=True), Promise.EVERYBODY, setup=_NGINX),
    Fault("gateway restarted, behind nginx", partial(_replica_stopped, at_once=False), Promise.EVERYBODY, setup=_NGINX),
    Fault("worker killed, behind nginx", _worker_killed, Promise.EVERYBODY, seconds=6, setup=_WORKERS),
    Fault(
        "workers replaced every 5 s, behind nginx",
        _replaced,
        Promise.EVERYBODY,
        seconds=60,
        setup=_WORKERS,
        checks_per_second=300,
    ),
    Fault("reload of a bad configuration", _reloaded_badly, Promise.EVERYBODY, seconds=6, setup=_WORKERS),
    Fault("SQLite locked by another process", _sqlite_locked, Promise.WARM, seconds=6, setup=_SQLITE),
    Fault("disk full under SQLite", _disk_full, Promise.WARM, seconds=6, setup=_SMALL_DISK),
)
