"""The in-process cache of facts: bounded, single flight, and never older than a revocation."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from gateway.errors import Unavailable
from gateway.facts.facts import EVERYTHING, Facts, could_be_rung, name_in
from gateway.facts.flight import launch
from gateway.facts.subject_index import SubjectIndex
from gateway.facts.tail import FRESH_FOR, InvalidationTail

if TYPE_CHECKING:
    from gateway.storage.database import Database

Load = Callable[[], Awaitable[Facts | None]]

# How many applied entries a running load can look back on; a load that missed more is done again.
_REMEMBERED_ENTRIES = 4096
_FRESH_SECONDS = FRESH_FOR.total_seconds()
_SHARED_SECONDS = 1.0
_PASSED_OVER = 256


class FactsCache:
    """Facts by the fingerprint of their credential. `find` costs no I/O; `fetch` loads, one flight per fingerprint."""

    def __init__(
        self,
        database: Database,
        *,
        max_entries: int,
        max_age: timedelta,
        outage_grace: timedelta,
        doorbell_connected: Callable[[], bool] = lambda: False,
    ) -> None:
        self._database = database
        self._max_entries = max_entries
        self._max_age = max_age.total_seconds()
        self.tail = InvalidationTail(
            database,
            apply=self.apply,
            hear=self.hear,
            outage_grace=outage_grace,
            doorbell_connected=doorbell_connected,
        )
        self._contact = self.tail.contact
        self._facts: OrderedDict[bytes, Facts] = OrderedDict()
        self._by_subject = SubjectIndex()
        self._flights: dict[bytes, asyncio.Task[Facts | None]] = {}
        self._loading_at = float("-inf")
        self._applied = 0
        self._entries: deque[str] = deque(maxlen=_REMEMBERED_ENTRIES)

    def __len__(self) -> int:
        return len(self._facts)

    def find(self, fingerprint: bytes) -> Facts | None:
        """Give facts that count now; `None` means: fetch."""
        facts = self._facts.get(fingerprint)
        if facts is None:
            return None
        now = time.monotonic()
        # What `tail.fresh` says, without its calls: this line is part of every check.
        if now - self._contact.completed_at >= _FRESH_SECONDS or now - facts.loaded_at > self._max_age:
            return None
        facts.found = True
        return facts

    @property
    def learns_at_once(self) -> bool:
        """Whether `learn` ever gives something; where not, whatever is not known has to be fetched."""
        return self._database.answers_at_once

    def learn(self, fingerprint: bytes, load: Callable[[], Facts | None]) -> Facts | None:
        """Give facts loaded without waiting, so that nothing is revoked meanwhile. `None` says nothing: fetch."""
        if not self.learns_at_once or not self.tail.fresh:
            return None
        facts = load()
        if facts is not None:
            self._keep(fingerprint, facts)
        return facts

    async def fetch(self, fingerprint: bytes, load: Load, *, again: bool = False) -> Facts | None:
        """Give facts, loaded if need be (`again`: in any case). `None`: the credential is not good.

        Raises `Unavailable` when neither the log nor the store can be asked and the outage grace is over.
        """
        await self.tail.catch_up()
        if not again:
            facts = self._facts.get(fingerprint) if self.tail.cut_off else self.find(fingerprint)
            if facts is not None:
                return facts
        if self.tail.silent:
            # The load would wait for nothing, and others behind it.
            raise Unavailable
        flight = self._flights.get(fingerprint)
        if flight is None:
            flight = self._flights[fingerprint] = launch(self._load(fingerprint, load))
            flight.add_done_callback(lambda _: self._flights.pop(fingerprint, None))
        # One waiter that is cancelled (its deadline) does not take the load away from the others.
        return await asyncio.shield(flight)

    def apply(self, subject: str) -> None:
        """Drop what an entry of the invalidation log concerns, and let running loads know of it."""
        self._applied += 1
        self._entries.append(subject)
        if subject == EVERYTHING:
            self._facts.clear()
            self._by_subject.clear()
            return
        for fingerprint in self._by_subject.of(name_in(subject)):
            self._drop(fingerprint)

    def hear(self, payload: str) -> None:
        """Apply what a doorbell carries, if it is ours. Whoever else rings makes us forget, and never know."""
        if could_be_rung(payload):
            self.apply(payload)

    async def _load(self, fingerprint: bytes, load: Load) -> Facts | None:
        while True:
            began_at = self._applied
            facts = await load()
            if facts is None:
                self._drop(fingerprint)
                return None
            # Facts read before a revocation never enter the cache after it.
            if not self._concerned(facts, since=began_at):
                self._keep(fingerprint, facts)
                return facts

    def _concerned(self, facts: Facts, *, since: int) -> bool:
        missed = self._applied - since
        if missed > len(self._entries):
            return True
        recent = {self._entries[-position] for position in range(1, missed + 1)}
        return EVERYTHING in recent or not {name_in(subject) for subject in recent}.isdisjoint(facts.names)

    def _keep(self, fingerprint: bytes, facts: Facts) -> None:
        self._drop(fingerprint)
        now = time.monotonic()
        if now - self._loading_at > _SHARED_SECONDS:
            self._loading_at = now
        # One number for all that come at once; it makes them older rather than younger.
        facts.loaded_at = self._loading_at
        self._facts[fingerprint] = facts
        self._by_subject.add(fingerprint, facts.names)
        if len(self._facts) > self._max_entries:
            self._drop(self._dispensable())

    def _dispensable(self) -> bytes:
        """Give what was not found since it came, or since it was passed over: cheaper than an order of use."""
        for _ in range(_PASSED_OVER):
            oldest, facts = next(iter(self._facts.items()))
            if not facts.found:
                return oldest
            facts.found = False
            self._facts.move_to_end(oldest)
        # All of them may have been: nobody is to wait until that is seen.
        return next(iter(self._facts))

    def _drop(self, fingerprint: bytes) -> None:
        facts = self._facts.pop(fingerprint, None)
        if facts is not None:
            self._by_subject.discard(fingerprint, facts.names)
