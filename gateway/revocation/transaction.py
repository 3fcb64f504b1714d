"""One write transaction and what follows from its commit: the doorbell rings, and the log says what was done."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from gateway.storage.invalidations import append_invalidation

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.storage.database import Database

_log = structlog.get_logger("gateway.security")

Doorbell = Callable[[str], None]


def ring_nobody(_subject: str) -> None:
    """Take the doorbell's place in a process without facts (the command line): the log alone tells the others."""


@dataclass(slots=True)
class Transaction:
    """One write transaction, the subjects that it invalidates, and the lines that are logged if it is committed."""

    connection: AsyncConnection
    now: datetime
    subjects: list[str] = field(default_factory=list)
    lines: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    async def invalidate(self, subject: str) -> None:
        await append_invalidation(self.connection, subject, now=self.now)
        self.subjects.append(subject)

    def log(self, event: str, **facts: str) -> None:
        """Log a line once it is true."""
        self.lines.append((event, facts))


@asynccontextmanager
async def begin(database: Database, *, doorbell: Doorbell) -> AsyncIterator[Transaction]:
    """Give a write transaction whose entries in the invalidation log are appended with it; they ring after it."""
    subjects: list[str] = []
    try:
        async with database.write() as connection:
            transaction = Transaction(connection, datetime.now(UTC))
            yield transaction
            subjects = transaction.subjects
    finally:
        # Also where the connection was lost at the commit, which may have been done. Without a connection this process
        # could not read it in the log, and what was ended would go on counting here for the outage grace.
        for subject in subjects:
            doorbell(subject)
    for event, facts in transaction.lines:
        _log.info(event, **facts)
