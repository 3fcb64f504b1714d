"""The in-process cache of facts: bounded, single flight, and never older than a revocation."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, defaultdict, deque
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from gateway.errors import Unavailable
from gateway.facts.facts import EVERYTHING, Facts, could_be_rung
from gateway.facts.flight import launch
from gateway.facts.tail import InvalidationTail

if TYPE_CHECKING:
    from gateway.storage.database import Database

Load = Callable[[], Awaitable[Facts | None]]

# How many applied entries a running load can look back on; a load that missed more is done again.
_REMEMBERED_ENTRIES = 4096


class FactsCache:
    """Facts by credential digest. `find` costs no I/O; `fetch` loads, one flight per digest."""

    def __init__(
        self,
        database: Database,
        *,
        max_entries: int,
        max_age: timedelta,
        outage_grace: timedelta,
        doorbell_connected: Callable[[], bool] = lambda: False,
    ) -> None:
        self._max_entries = max_entries
        self._max_age = max_age.total_seconds()
        self.tail = InvalidationTail(
            database,
            apply=self.apply,
            hear=self.hear,
            outage_grace=outage_grace,
            doorbell_connected=doorbell_connected,
        )
        self._facts: OrderedDict[bytes, Facts] = OrderedDict()
        self._digests: defaultdict[str, set[bytes]] = defaultdict(set)
        self._flights: dict[bytes, asyncio.Task[Facts | None]] = {}
        self._applied = 0
        self._entries: deque[str] = deque(maxlen=_REMEMBERED_ENTRIES)

    def __len__(self) -> int:
        return len(self._facts)

    def find(self, digest: bytes) -> Facts | None:
        """Give facts that count now; `None` means: fetch."""
        facts = self._facts.get(digest)
        if facts is None or not self.tail.fresh or time.monotonic() - facts.loaded_at > self._max_age:
            return None
        self._facts.move_to_end(digest)
        return facts

    async def fetch(self, digest: bytes, load: Load, *, again: bool = False) -> Facts | None:
        """Give facts, loaded if need be (`again`: in any case). `None`: the credential is not good.

        Raises `Unavailable` when neither the log nor the store can be asked and the outage grace is over.
        """
        await self.tail.catch_up()
        if not again:
            facts = self._facts.get(digest) if self.tail.cut_off else self.find(digest)
            if facts is not None:
                return facts
        if self.tail.silent:
            # The load would wait for nothing, and others behind it.
            raise Unavailable
        flight = self._flights.get(digest)
        if flight is None:
            flight = self._flights[digest] = launch(self._load(digest, load))
            flight.add_done_callback(lambda _: self._flights.pop(digest, None))
        # One waiter that is cancelled (its deadline) does not take the load away from the others.
        return await asyncio.shield(flight)

    def apply(self, subject: str) -> None:
        """Drop what an entry of the invalidation log concerns, and let running loads know of it."""
        self._applied += 1
        self._entries.append(subject)
        if subject == EVERYTHING:
            self._facts.clear()
            self._digests.clear()
            return
        for digest in tuple(self._digests.get(subject, ())):
            self._drop(digest)

    def hear(self, payload: str) -> None:
        """Apply what a doorbell carries, if it is ours. Whoever else rings makes us forget, and never know."""
        if could_be_rung(payload):
            self.apply(payload)

    async def _load(self, digest: bytes, load: Load) -> Facts | None:
        while True:
            began_at = self._applied
            facts = await load()
            if facts is None:
                self._drop(digest)
                return None
            # Facts read before a revocation never enter the cache after it.
            if not self._concerned(facts, since=began_at):
                self._keep(digest, facts)
                return facts

    def _concerned(self, facts: Facts, *, since: int) -> bool:
        missed = self._applied - since
        if missed > len(self._entries):
            return True
        recent = {self._entries[-position] for position in range(1, missed + 1)}
        return EVERYTHING in recent or not recent.isdisjoint(facts.subjects)

    def _keep(self, digest: bytes, facts: Facts) -> None:
        self._drop(digest)
        facts.loaded_at = time.monotonic()
        self._facts[digest] = facts
        for subject in facts.subjects:
            self._digests[subject].add(digest)
        if len(self._facts) > self._max_entries:
            self._drop(next(iter(self._facts)))

    def _drop(self, digest: bytes) -> None:
        facts = self._facts.pop(digest, None)
        for subject in facts.subjects if facts is not None else ():
            self._digests[subject].discard(digest)
            if not self._digests[subject]:
                del self._digests[subject]
