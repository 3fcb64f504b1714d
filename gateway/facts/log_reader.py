"""Reading the invalidation log: what came since the last time, on a connection of one's own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import structlog

from gateway.errors import Unavailable
from gateway.facts.facts import EVERYTHING
from gateway.facts.flight import launch
from gateway.storage.invalidations import CHANNEL, Entry, data_version, entries_from, last_entry
from gateway.storage.lasting import LastingConnection

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.storage.database import Database

_log = structlog.get_logger("gateway.facts")

_Result = TypeVar("_Result")

# More than the steps of connecting and reading, in either driver; where nothing else is to be done, no time at all.
_TURNS = 64
# A process that runs wakes up earlier after a deadline.
_LATE = timedelta(milliseconds=250)


class StoodStill(TimeoutError):
    """The deadline passed while this process did not run: that says nothing about the database."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """What was found from our position on, the end of the log, and SQLite's counter of commits before that."""

    entries: Sequence[Entry]
    end: Entry | None
    version: int | None


class LogReader:
    """Knows how far the log was read; one reading at a time.

    The position is the entry that was read last. If it is there no more, or is another one, then the log is not the
    one that was read: a backup was restored (and may have grown past the position since), a standby took over that
    had not got its end, or it was purged while this process stood still. What was missed cannot be known then.
    """

    def __init__(self, database: Database, *, hear: Callable[[str], None]) -> None:
        self._database = database
        self._hear = hear
        self._begun = False
        self._position: Entry | None = None
        self._version: int | None = None
        self._connected: LastingConnection | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def connected(self) -> bool:
        """Whether there is a connection from before: that it fails says nothing about the server."""
        return self._connected is not None

    async def read(self, *, within: timedelta | None) -> tuple[str, ...]:
        """Give the subjects of what was appended since the last reading, in order.

        Raises `Unavailable`, or `TimeoutError`; the connection is then another one the next time.
        """
        try:
            reading = await self._read(within)
        except Unavailable:
            closing = self._abandon()
            if closing is not None:
                # A long outage must not use up the connections.
                await asyncio.shield(closing)
            raise
        except BaseException:
            self._abandon()
            raise
        return () if reading is None else self._follow(reading)

    async def close(self) -> None:
        """Close the connection; no reading is under way."""
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait({self._connecting})
        self._abandon()
        await asyncio.gather(*self._closing)

    async def _read(self, within: timedelta | None) -> _Reading | None:
        began_at = time.monotonic()
        connected = await _in_time(launch(self._connect()), within)
        left = None if within is None else within - timedelta(seconds=time.monotonic() - began_at)
        if left is not None and left <= timedelta(0):
            # Connected, and the time is over: it was this process that took it.
            raise StoodStill
        # Not cancelled: a driver would tell the server, which may be silent. It fails with its connection.
        return await _in_time(launch(self._ask(connected.connection)), left)

    async def _ask(self, connection: AsyncConnection) -> _Reading | None:
        async with self._database.translate_failures():
            version = await data_version(connection)
            if version is not None and version == self._version:
                return None
            entries = await entries_from(connection, self._position.number) if self._position else []
            end = entries[-1] if entries else await last_entry(connection)
        return _Reading(entries, end, version)

    def _follow(self, reading: _Reading) -> tuple[str, ...]:
        before, self._position = self._position, reading.end
        begun, self._begun = self._begun, True
        self._version = reading.version
        if not begun or reading.end == before:
            return ()
        if before and reading.entries and reading.entries[0] == before:
            return tuple(entry.subject for entry in reading.entries[1:])
        # The first entries of an empty log may be those of a backup as well.
        if before is not None:
            last = None if reading.end is None else reading.end.number
            _log.warning("invalidation_log_gap", position=before.number, last=last)
        return (EVERYTHING,)

    async def _connect(self) -> LastingConnection:
        """Give the connection; it may take longer than a reading may, and whoever gives up waiting does not end it."""
        if self._connected is None:
            if self._connecting is None:
                self._connecting = launch(self._open())
            await asyncio.shield(self._connecting)
        assert self._connected is not None, "it was just opened"  # noqa: S101 - for the type checker
        return self._connected

    async def _open(self) -> None:
        try:
            self._connected = await LastingConnection.open(self._database, channel=CHANNEL, hear=self._hear)
            # The counter compares what one connection saw with what it sees now.
            self._version = None
        finally:
            self._connecting = None

    def _abandon(self) -> asyncio.Task[None] | None:
        connected, self._connected = self._connected, None
        if connected is None:
            return None
        closing = connected.abandon()
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
        return closing


async def _in_time(task: asyncio.Task[_Result], within: timedelta | None) -> _Result:
    """Give what comes of a task, which goes on if that is not there in time. Raises `TimeoutError`.

    In a process that has more to do than it can, each step waits for its turn. The answer may be there long since: if
    that were taken for an outage, whoever keeps the process busy could keep what was revoked alive for the grace.
    """
    seconds = None if within is None else max(0.0, within.total_seconds())
    began_at = time.monotonic()
    await asyncio.wait({task}, timeout=seconds)
    late = 0.0 if seconds is None else time.monotonic() - began_at - seconds
    for _ in range(_TURNS):
        if task.done():
            return task.result()
        await asyncio.sleep(0)
    raise StoodStill if late > _LATE.total_seconds() else TimeoutError
