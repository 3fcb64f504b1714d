"""A random mix of faults from a seed, each of which may fall together with any other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from random import Random

from tests.faults.history import CutOff
from tests.faults.kinds import Promise
from tests.faults.load import prepared_load, repeatable
from tests.faults.rows import AFTER_SECONDS, Row, Span, judge_row
from tests.faults.site import Replica, Setup, Site
from tests.support.servers.relay import Relay

SETUP = Setup(replicas=2, grace_seconds=3)
# After this a doorbell that was lost is heard again, whoever lost it.
_DOORBELL_BACK_SECONDS = 5.0
_LONGEST_SECONDS = 3.0
_CHECKS_PER_SECOND = 60
_PAUSE_SECONDS = 2.5


@dataclass(frozen=True, slots=True)
class _Away:
    """A time in which something could not be relied on."""

    since: float
    until: float

    def common(self, other: _Away) -> _Away | None:
        since, until = max(self.since, other.since), min(self.until, other.until)
        return _Away(since, until) if since < until else None


@dataclass(slots=True)
class _Troubles:
    """When which replica had no database, and when no doorbell could be relied on by anybody.

    A doorbell rings between two: it fails when the one who rings is harmed as well as when the one who listens is.
    """

    database: dict[str, list[_Away]] = field(default_factory=dict)
    doorbell: list[_Away] = field(default_factory=list)

    def cut_offs(self, grace: float) -> Iterable[CutOff]:
        for name, times in self.database.items():
            for away, deaf in product(times, self.doorbell):
                if away.common(deaf) is not None:
                    yield CutOff(name, away.since, away.until, grace)


class Mix:
    """Tracks of harm that run side by side: one for each relay, each process and Redis itself."""

    def __init__(self, site: Site, random: Random) -> None:
        self._site = site
        self._random = random
        self._troubles = _Troubles()
        self.told: list[str] = []

    async def run(self, seconds: float) -> None:
        """Do harm for this long, then leave everything well."""
        until = time.monotonic() + seconds
        tracks = [partial(self._redis_track)]
        for replica in self._site.replicas:
            kinds = (self._database_track, self._doorbell_track, self._process_track)
            tracks.extend(partial(track, replica) for track in kinds)
        # Each has a chance of its own: how long one takes changes nothing of what the others do.
        await asyncio.gather(*(track(repeatable(self._random.random()), until) for track in tracks))
        self._site.cut_offs.extend(self._troubles.cut_offs(self._site.setup.grace_seconds))

    async def _database_track(self, replica: Replica, random: Random, until: float) -> None:
        relay = replica.database
        assert relay is not None
        async for since in self._turns(random, until):
            await self._harm_relay(relay, random, f"the database of {replica.name}")
            self._troubles.database.setdefault(replica.name, []).append(_Away(since, time.monotonic()))

    async def _doorbell_track(self, replica: Replica, random: Random, until: float) -> None:
        relay = replica.redis
        assert relay is not None
        async for since in self._turns(random, until):
            await self._harm_relay(relay, random, f"the Redis of {replica.name}")
            self._deaf(since)

    async def _process_track(self, replica: Replica, random: Random, until: float) -> None:
        async for since in self._turns(random, until, pause=2 * _PAUSE_SECONDS):
            how = random.choice(["frozen", "killed"])
            self._tell(f"{replica.name} is {how}")
            if how == "killed":
                await replica.kill()
                await replica.start()
            else:
                replica.process.freeze()
                await asyncio.sleep(random.uniform(0.2, _LONGEST_SECONDS))
                replica.process.thaw()
            self._deaf(since)

    async def _redis_track(self, random: Random, until: float) -> None:
        async for since in self._turns(random, until, pause=2 * _PAUSE_SECONDS):
            self._tell("Redis is stopped")
            await asyncio.to_thread(self._site.redis.stop)
            await asyncio.sleep(random.uniform(0, _LONGEST_SECONDS))
            await asyncio.to_thread(self._site.redis.start)
            self._deaf(since)

    async def _harm_relay(self, relay: Relay, random: Random, what: str) -> None:
        how = random.choice(["refuse", "black_hole", "cut", "delay"])
        seconds = random.uniform(0.1, _LONGEST_SECONDS)
        self._tell(f"{what}: {how} for {seconds:.2f} s")
        await (relay.delay(0.05) if how == "delay" else getattr(relay, how)())
        await asyncio.sleep(seconds)
        await relay.pass_on()

    async def _turns(self, random: Random, until: float, *, pause: float = _PAUSE_SECONDS) -> AsyncIterator[float]:
        """Give the time at which each harm begins."""
        while True:
            await asyncio.sleep(random.uniform(0.1, pause))
            if time.monotonic() >= until:
                return
            yield time.monotonic()

    def _deaf(self, since: float) -> None:
        # Before: what was answered just then may not have been rung yet. After: everybody has to connect again.
        self._troubles.doorbell.append(_Away(since - 1, time.monotonic() + _DOORBELL_BACK_SECONDS))

    def _tell(self, what: str) -> None:
        self.told.append(f"{time.monotonic():.3f} {what}")


async def run_mix(site: Site, *, seed: int, seconds: float) -> Row:
    """Let everything happen, in an order that the seed decides."""
    random = repeatable(seed)
    site.cut_offs.clear()
    portals = [replica.target for replica in site.replicas]
    async with prepared_load(targets=site.targets, portals=portals, random=random) as load:
        mix = Mix(site, random)
        async with load.flowing(per_second=_CHECKS_PER_SECOND):
            await mix.run(seconds)
            healed = time.monotonic()
            await asyncio.sleep(AFTER_SECONDS)
        ended = time.monotonic()
        await load.verify()
        return judge_row(f"random mix, seed {seed}", Promise.NOBODY, load, site, Span(healed, ended))
