"""What may be forgotten?"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

import structlog

from gateway.errors import Unavailable
from gateway.storage.expired import idle_sessions, list_idle_timeouts

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.storage.database import Database

_log = structlog.get_logger("gateway.cleaning")

# So many rows in one transaction: a login waits for one of them at most.
BATCH = 500
# Between two transactions: other processes, for whom the queue of this one is no queue, get their turn.
_PAUSE = timedelta(milliseconds=20)
_FIRST_AFTER = timedelta(seconds=5)
_INTERVAL = timedelta(minutes=1)
# Last uses wait in the memory of each process, for 30 seconds or until an outage is over.
IDLE_MARGIN = timedelta(hours=1)


class Step(Protocol):
    """One kind of rows. `remove` removes some of those that `finds` speaks of, in the transaction that it is given."""

    @property
    def name(self) -> str: ...

    async def finds(self, connection: AsyncConnection, *, now: datetime) -> bool: ...

    async def remove(self, connection: AsyncConnection, *, now: datetime, limit: int) -> int: ...


class Cleaning:
    """Remove what has expired, in small batches. Whether it runs or not, no answer changes.

    No invalidation is written: every process that knows a session or token knows also when it ends, and refuses it
    from then on. Processes may clean at the same time.
    """

    def __init__(self, database: Database, *, steps: Sequence[Step]) -> None:
        self._database = database
        self._steps = steps

    async def run(self) -> None:
        """Clean until cancelled."""
        await asyncio.sleep(_FIRST_AFTER.total_seconds())
        while True:
            await self.clean()
            await asyncio.sleep(_INTERVAL.total_seconds())

    async def clean(self) -> None:
        """Go through all steps once. One that the database refuses does not keep the others from being tried."""
        for step in self._steps:
            try:
                await self._clean(step)
            except Unavailable as error:
                _log.warning("cleaning_failed", what=step.name, error=str(error))

    async def _clean(self, step: Step) -> None:
        now, count = datetime.now(UTC), 0
        while await self._finds(step, now):
            async with self._database.write() as connection:
                removed = await step.remove(connection, now=now, limit=BATCH)
            if not removed:
                # Another process was faster.
                break
            count += removed
            await asyncio.sleep(_PAUSE.total_seconds())
        if count:
            _log.info("cleaned", what=step.name, count=count)

    async def _finds(self, step: Step, now: datetime) -> bool:
        # Reading holds up nobody: most of the time there is nothing to write for.
        async with self._database.read() as connection:
            return await step.finds(connection, now=now)


class IdleSessions:
    """Sessions that nobody has used for as long as each of them may rest."""

    name = "idle sessions"

    async def finds(self, connection: AsyncConnection, *, now: datetime) -> bool:
        return await self._expired(connection, now=now) is not None

    async def remove(self, connection: AsyncConnection, *, now: datetime, limit: int) -> int:
        expired = await self._expired(connection, now=now)
        return 0 if expired is None else await expired.remove(connection, now=now, limit=limit)

    async def _expired(self, connection: AsyncConnection, *, now: datetime) -> Step | None:
        # Timeout by timeout: the two engines have no arithmetic with moments in common.
        for timeout in await list_idle_timeouts(connection):
            expired = idle_sessions(timeout, margin=IDLE_MARGIN)
            if await expired.finds(connection, now=now):
                return expired
        return None
