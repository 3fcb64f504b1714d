"""The tail of the invalidation log: how this process hears what others revoked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from gateway.errors import Unavailable
from gateway.facts.facts import EVERYTHING
from gateway.storage.invalidations import data_version, purge_invalidations, read_tail

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.storage.database import Database

_log = structlog.get_logger("gateway.facts")

_INTERVAL = timedelta(milliseconds=250)
# Facts count while the last completed reading is younger than this.
_FRESH_FOR = timedelta(seconds=1)
_READING_DEADLINE = timedelta(seconds=1)
_PURGE_INTERVAL = timedelta(minutes=5)


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
        outage_grace: timedelta,
        keep_entries_for: timedelta,
    ) -> None:
        self._database = database
        self._apply = apply
        self._outage_grace = outage_grace.total_seconds()
        self._keep_entries_for = keep_entries_for
        self._position: int | None = None
        self._version: int | None = None
        self._completed_at = float("-inf")
        self._failed_at = float("-inf")
        self._silent = False
        self._reading: asyncio.Task[None] | None = None
        self._connection: AsyncConnection | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._purged_at = time.monotonic()

    @property
    def fresh(self) -> bool:
        """Whether facts count without another look at the log."""
        return time.monotonic() - self._completed_at < _FRESH_FOR.total_seconds()

    @property
    def cut_off(self) -> bool:
        """Whether the last reading failed: facts are then kept, whatever their age, for the outage grace."""
        return self._failed_at > self._completed_at

    async def catch_up(self) -> None:
        """Read the log unless it was read within the last second: a process that was stopped does so first.

        Raises `Unavailable` when that fails and the outage grace is over.
        """
        if not self.fresh and self._worth_asking:
            with suppress(Unavailable):
                await self._read()
        if time.monotonic() - self._completed_at > max(self._outage_grace, _FRESH_FOR.total_seconds()):
            raise Unavailable

    @property
    def _worth_asking(self) -> bool:
        # While the database is away one look per interval is enough. For a silent one checks do not wait at all, as
        # long as the background work asks on: a process that was stopped and continued has to look for itself.
        enough = _READING_DEADLINE + 2 * _INTERVAL if self._silent else _INTERVAL
        return not self.cut_off or time.monotonic() - self._failed_at >= enough.total_seconds()

    async def begin(self) -> None:
        """Read the log before anybody is answered, however long that takes on a machine that is busy starting.

        Without a first reading nothing is known, and a deadline would only make the first answers 503.
        Raises `Unavailable`. Belongs before `run`.
        """
        began_at = time.monotonic()
        await self._read_log()
        self._completed_at = began_at

    async def run(self) -> None:
        """Tail until cancelled."""
        try:
            while True:
                with suppress(Unavailable):
                    await self._read()
                await self._purge_now_and_then()
                await asyncio.sleep(_INTERVAL.total_seconds())
        finally:
            await self.close()

    async def close(self) -> None:
        """Close the connection, after the reading that is under way: it ends by itself, within its deadline."""
        if self._reading is not None:
            await asyncio.wait({self._reading})
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _read(self) -> None:
        """Join the reading that is under way, or begin one; whoever gives up waiting does not end it."""
        if self._reading is None:
            self._reading = asyncio.create_task(self._read_within_deadline())
            self._reading.add_done_callback(self._finish_reading)
        await asyncio.shield(self._reading)

    def _finish_reading(self, reading: asyncio.Task[None]) -> None:
        self._reading = None
        # Everybody who waited may be gone; asyncio would complain about an outcome that nobody took.
        if not reading.cancelled():
            reading.exception()

    async def _read_within_deadline(self) -> None:
        began_at = time.monotonic()
        try:
            async with asyncio.timeout(_READING_DEADLINE.total_seconds()):
                await self._read_log()
        except (Unavailable, TimeoutError) as error:
            if not self.cut_off:
                _log.warning("invalidation_log_unreadable", grace_seconds=self._outage_grace)
            self._failed_at = time.monotonic()
            self._silent = isinstance(error, TimeoutError)
            await self._drop_connection()
            raise Unavailable from error
        if self.cut_off:
            _log.warning("invalidation_log_readable_again")
        # Measured from before the reading: what was committed while it ran may have been missed.
        self._completed_at = began_at

    async def _read_log(self) -> None:
        connection = await self._own_connection()
        async with self._database.translate_failures():
            version = await data_version(connection)
            if version == self._version:
                return
            tail = await read_tail(connection, position=self._position or 0)
        if self._position is None:
            self._position = tail.last or 0
        elif (tail.last or 0) < self._position or (tail.first or 0) > self._position + 1:
            # A restored backup, or a pause longer than the log is kept: what was missed cannot be known.
            _log.warning("invalidation_log_gap", position=self._position, first=tail.first, last=tail.last)
            self._apply(EVERYTHING)
        else:
            for subject in tail.subjects:
                self._apply(subject)
        self._position = tail.last or 0
        self._version = version

    async def _own_connection(self) -> AsyncConnection:
        # `PRAGMA data_version` compares what one connection saw with what it sees now: it must stay the same one.
        if self._connection is None:
            self._connection = await self._database.connect()
            self._version = None
        return self._connection

    async def _drop_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        closing = asyncio.create_task(_close_quietly(connection))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
        # A silent connection closes when it has answered; nobody waits for that.
        if not self._silent:
            await closing

    async def _purge_now_and_then(self) -> None:
        if time.monotonic() - self._purged_at < _PURGE_INTERVAL.total_seconds():
            return
        self._purged_at = time.monotonic()
        with suppress(Unavailable):
            async with self._database.write() as connection:
                await purge_invalidations(connection, before=datetime.now(UTC) - self._keep_entries_for)


async def _close_quietly(connection: AsyncConnection) -> None:
    with suppress(Exception):
        await connection.invalidate()
        await connection.close()
