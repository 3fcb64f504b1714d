"""Moments of last use: kept in memory and written in batches, far above one write per check."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gateway.errors import Unavailable

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.storage.database import Database

Write = Callable[["AsyncConnection", Mapping[str, datetime]], Awaitable[None]]

# Far below any idle timeout.
_INTERVAL = timedelta(seconds=30)


class LastUse:
    """When each record of one kind was last used, by its id."""

    def __init__(self, database: Database, *, write: Write) -> None:
        self._database = database
        self._write = write
        self._seen: dict[str, datetime] = {}

    def touch(self, record_id: str, now: float) -> None:
        """Remember a use; written with the next batch."""
        self._seen[record_id] = datetime.fromtimestamp(now, UTC)

    def latest(self, record_id: str, stored: datetime | None) -> datetime | None:
        """Give what this process knows of a record's last use, beside what is stored."""
        seen = self._seen.get(record_id)
        return max(seen, stored) if seen is not None and stored is not None else seen or stored

    async def write(self) -> None:
        """Write what was seen since the last batch. Raises `Unavailable`."""
        seen, self._seen = self._seen, {}
        if not seen:
            return
        try:
            async with self._database.write() as connection:
                await self._write(connection, seen)
        except Unavailable:
            # Kept for the next batch; what was seen since is newer.
            self._seen = seen | self._seen
            raise

    async def run(self) -> None:
        """Write batches until cancelled."""
        while True:
            await asyncio.sleep(_INTERVAL.total_seconds())
            with suppress(Unavailable):
                await self.write()
