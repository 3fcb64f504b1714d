"""Moments of last use: kept in memory and written in batches, far above one write per check."""

from __future__ import annotations

import asyncio
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
# As many uses outlast a batch that could not be written.
_KEPT = 100_000


class LastUse:
    """When each record of one kind was last used, by its id."""

    def __init__(self, database: Database, *, write: Write) -> None:
        self._database = database
        self._write = write
        # Seconds since the epoch: this is done for each check, and a moment is made when it is written.
        self._seen: dict[str, float] = {}

    def touch(self, record_id: str, now: float) -> None:
        """Remember a use; written with the next batch."""
        self._seen[record_id] = now

    def latest(self, record_id: str, stored: datetime | None) -> datetime | None:
        """Give what this process knows of a record's last use, beside what is stored."""
        at = self._seen.get(record_id)
        seen = None if at is None else _moment(at)
        return max(seen, stored) if seen is not None and stored is not None else seen or stored

    async def write(self) -> None:
        """Write what was seen since the last batch. Raises `Unavailable`."""
        seen, self._seen = self._seen, {}
        if not seen:
            return
        try:
            async with self._database.write() as connection:
                await self._write(connection, {record_id: _moment(at) for record_id, at in seen.items()})
        except Unavailable:
            # Kept for the next batch; what was seen since is newer.
            kept = seen | self._seen
            # A long outage must not use up the memory; whoever was seen first is forgotten first.
            for record_id in list(islice(kept, max(0, len(kept) - _KEPT))):
                del kept[record_id]
            self._seen = kept
            raise

    async def run(self) -> None:
        """Write batches until cancelled."""
        while True:
            await asyncio.sleep(_INTERVAL.total_seconds())
            with suppress(Unavailable):
                await self.write()


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
