"""Moments of last use: kept in memory and written in batches, far above one write per check."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from gateway.errors import Unavailable

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.storage.database import Database

Write = Callable[["AsyncConnection", Mapping[str, datetime]], Awaitable[None]]

# Far below any idle timeout.
_INTERVAL = timedelta(seconds=30)
_RETRY = timedelta(seconds=1)
# Of one transaction: logins wait behind it, and checks while it is put together.
_BATCH = 1000
# So many do not wait for the end of the interval: those who come only once would fill the memory.
_MANY = 50_000
# As many uses outlast a database that is away, or slower than they come.
_KEPT = 100_000


class LastUse:
    """When each record of one kind was last used, by its id."""

    def __init__(self, database: Database, *, write: Write) -> None:
        self._database = database
        self._write = write
        # Seconds since the epoch: this is done for each check, and a moment is made when it is written. Whoever waits
        # for longest comes first.
        self._seen: dict[str, float] = {}
        self._many_wait = asyncio.Event()
        # Whoever was used since then, and does not wait, was written early.
        self._written_since = math.inf

    def touch(self, record_id: str, now: float, before: float = 0.0) -> None:
        """Remember a use; it is written within the interval. `before`: the one before, as far as it is known.

        Whoever was written early comes again with the next interval: the many that are in use all the time would be
        written all the time.
        """
        if before >= self._written_since and record_id not in self._seen:
            return
        self._seen[record_id] = now
        if len(self._seen) >= _MANY:
            self._many_wait.set()
            if len(self._seen) > _KEPT:
                self._forget_oldest()

    def latest(self, record_id: str, stored: datetime | None) -> datetime | None:
        """Give what this process knows of a record's last use, beside what is stored."""
        at = self._seen.get(record_id)
        seen = None if at is None else _moment(at)
        return max(seen, stored) if seen is not None and stored is not None else seen or stored

    async def write(self) -> None:
        """Write what was seen until now. Raises `Unavailable`; what was not written is kept for the next time."""
        for _ in range(0, len(self._seen), _BATCH):
            await self._write_batch()

    async def run(self) -> None:
        """Write at the end of each interval, and early when many wait, until cancelled."""
        while True:
            began_at, ends_at = time.time(), asyncio.get_running_loop().time() + _INTERVAL.total_seconds()
            self._written_since = math.inf
            while await self._many_wait_before(ends_at):
                self._written_since = began_at
                await self._try_to_write()
            await self._try_to_write()

    async def _many_wait_before(self, ends_at: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout_at(ends_at):
                await self._many_wait.wait()
        return asyncio.get_running_loop().time() < ends_at

    async def _try_to_write(self) -> None:
        try:
            await self.write()
        except Unavailable:
            await asyncio.sleep(_RETRY.total_seconds())
        if len(self._seen) < _MANY:
            self._many_wait.clear()

    async def _write_batch(self) -> None:
        """Write those who wait for longest; they are known here until they are stored."""
        async with self._database.write() as connection:
            batch = dict(islice(self._seen.items(), _BATCH))
            # Another call may have written all of them meanwhile.
            if batch:
                await self._write(connection, {record_id: _moment(at) for record_id, at in batch.items()})
        for record_id, written in batch.items():
            seen = self._seen.pop(record_id, written)
            if seen != written:
                # Used again meanwhile: it waits anew, behind the others.
                self._seen[record_id] = seen

    def _forget_oldest(self) -> None:
        # Several at once: a dict looks for its first entry from where it began.
        for record_id in list(islice(self._seen, _BATCH)):
            del self._seen[record_id]


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
