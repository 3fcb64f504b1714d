"""The tail of the invalidation log: how this process hears what others revoked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from gateway.errors import Unavailable
from gateway.facts.contact import Contact
from gateway.facts.flight import launch
from gateway.facts.log_reader import LogReader, StoodStill

if TYPE_CHECKING:
    from gateway.storage.database import Database

_INTERVAL = timedelta(milliseconds=250)
# Facts count while the last completed reading is younger than this.
FRESH_FOR = timedelta(seconds=1)
_READING_DEADLINE = timedelta(seconds=1)


class InvalidationTail:
    """Reads the log on a connection of its own and hands each subject to `apply`.

    The position moves here only: a doorbell applies an entry at once, and the entry is read again by its number,
    so that a lost or reordered doorbell costs nothing.
    """

    def __init__(
        self,
        database: Database,
        *,
        apply: Callable[[str], None],
        hear: Callable[[str], None],
        outage_grace: timedelta,
        doorbell_connected: Callable[[], bool],
    ) -> None:
        self._apply = apply
        self._log = LogReader(database, hear=hear)
        self.contact = Contact(grace=max(outage_grace, FRESH_FOR), doorbell_connected=doorbell_connected)
        self._reading: asyncio.Task[None] | None = None

    @property
    def fresh(self) -> bool:
        """Whether facts count without another look at the log."""
        return self.contact.age < FRESH_FOR.total_seconds()

    @property
    def cut_off(self) -> bool:
        """Whether the last reading failed: facts are then kept, whatever their age, for the outage grace."""
        return self.contact.lost

    @property
    def silent(self) -> bool:
        """Whether it failed because the database does not answer: then nobody else need wait for it."""
        return self.contact.lost and self.contact.silent

    async def catch_up(self) -> None:
        """Read the log unless it was read within the last second: a process that was stopped does so first.

        Raises `Unavailable` when that fails and the outage grace is over.
        """
        if not self.fresh and self._worth_asking:
            with suppress(Unavailable):
                await self._read()
        if self.contact.grace_over:
            raise Unavailable

    @property
    def _worth_asking(self) -> bool:
        # While the database is away one look per interval is enough. For a silent one checks do not wait at all, as
        # long as the background work asks on: a process that was stopped and continued has to look for itself.
        enough = _READING_DEADLINE + 2 * _INTERVAL if self.silent else _INTERVAL
        return not self.cut_off or self.contact.since_failure >= enough.total_seconds()

    async def begin(self) -> None:
        """Read the log before anybody is answered, however long that takes on a machine that is busy starting.

        Without a first reading nothing is known, and a deadline would only make the first answers 503.
        Raises `Unavailable`. Belongs before `run`.
        """
        began_at = time.monotonic()
        await self._read_log(within=None)
        self.contact.made(began_at)

    async def run(self) -> None:
        """Tail until cancelled."""
        try:
            while True:
                with suppress(Unavailable):
                    await self._read()
                self.contact.note_end_of_grace()
                await asyncio.sleep(_INTERVAL.total_seconds())
        finally:
            await self.close()

    async def read_anew(self) -> None:
        """Read what is there now: a reading that is under way may have begun before something was missed."""
        if self._reading is not None:
            await asyncio.wait({self._reading})
        with suppress(Unavailable):
            await self._read()

    async def close(self) -> None:
        """Close the connection, after the reading that is under way: it ends by itself, within its deadline."""
        if self._reading is not None:
            await asyncio.wait({self._reading})
        await self._log.close()

    async def _read(self) -> None:
        """Join the reading that is under way, or begin one; whoever gives up waiting does not end it."""
        if self._reading is None:
            self._reading = launch(self._read_within_deadline())
            self._reading.add_done_callback(self._forget_reading)
        await asyncio.shield(self._reading)

    def _forget_reading(self, _reading: asyncio.Task[None]) -> None:
        self._reading = None

    async def _read_within_deadline(self) -> None:
        for last_attempt in (False, False, True):
            began_at, connected = time.monotonic(), self._log.connected
            try:
                await self._read_log(within=_READING_DEADLINE)
            except (Unavailable, TimeoutError) as error:
                silent = isinstance(error, TimeoutError)
                # A connection that broke at some time, or a deadline that passed while this process stood still, says
                # nothing about the database now: known facts must not go on counting for it.
                stood_still = isinstance(error, StoodStill)
                if (stood_still or (connected and not silent)) and not last_attempt:
                    continue
                if not stood_still:
                    self.contact.failed("it does not answer" if silent else str(error), silent=silent)
                raise Unavailable from error
            # Measured from before the reading: what was committed while it ran may have been missed.
            self.contact.made(began_at)
            return

    async def _read_log(self, *, within: timedelta | None) -> None:
        for subject in await self._log.read(within=within):
            self._apply(subject)
