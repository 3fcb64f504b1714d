"""The connections: reads without a transaction, writes in exactly one."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import URL, event
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.util import await_only

from gateway.errors import Unavailable

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor

# Longer than any of our transactions; beyond it the answer is 503, not an endless wait.
_LOCK_WAIT_SECONDS = 5
_READ_CONNECTIONS = 4

# Between two attempts to switch to WAL: SQLite does not wait for that lock by itself.
_LOCK_RETRY_SECONDS = 0.05

# FULL: an acknowledged revocation survives a power cut. foreign_keys is off by default in SQLite.
_PRAGMAS = (
    "PRAGMA synchronous=FULL",
    f"PRAGMA busy_timeout={_LOCK_WAIT_SECONDS * 1000}",
    "PRAGMA foreign_keys=ON",
)


class Database:
    """One SQLite file. Every failure of the engine itself becomes `Unavailable`."""

    def __init__(self, *, readers: AsyncEngine, writer: AsyncEngine) -> None:
        self._readers = readers
        self._writer = writer

    @classmethod
    def open(cls, path: Path) -> Self:
        """Prepare connections to the file; it is created with the first one, readable by its owner only."""
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
        except OSError as error:
            message = (
                f"the database {path} cannot be opened ({error.strerror}): set GATEWAY_DATA_DIR to a writable folder"
            )
            raise Unavailable(message) from error
        url = URL.create("sqlite+aiosqlite", database=str(path))
        readers = create_async_engine(url, pool_size=_READ_CONNECTIONS, pool_timeout=_LOCK_WAIT_SECONDS)
        # SQLite has one writer at a time: queueing here is fair and costs no busy waiting.
        writer = create_async_engine(url, pool_size=1, max_overflow=0, pool_timeout=_LOCK_WAIT_SECONDS)
        for engine in (readers, writer):
            event.listen(engine.sync_engine, "connect", _prepare)
        event.listen(writer.sync_engine, "begin", _begin_immediate)
        return cls(readers=readers, writer=writer)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection outside any transaction: each statement sees the latest commit."""
        async with self.translate_failures(), self._readers.connect() as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection inside the one write transaction; commits at the end, rolls back on any exception."""
        async with self.translate_failures(), self._writer.begin() as connection:
            yield connection

    async def connect(self) -> AsyncConnection:
        """Give a reading connection for good; the caller closes it."""
        async with self.translate_failures():
            return await self._readers.connect()

    @asynccontextmanager
    async def translate_failures(self) -> AsyncIterator[None]:
        """Turn a failing engine into `Unavailable`; a broken constraint stays what it is, its caller expects it."""
        try:
            yield
        except IntegrityError:
            raise
        except (PoolTimeout, DBAPIError) as error:
            raise Unavailable from error

    async def close(self) -> None:
        await self._readers.dispose()
        await self._writer.dispose()


def _prepare(connection: DBAPIConnection, _record: Any) -> None:  # noqa: ANN401 - SQLAlchemy's signature
    # The driver's own transaction handling begins late and deferred; in WAL mode such a transaction fails
    # with "database is locked" as soon as it reads and then writes. We begin ourselves.
    connection.isolation_level = None
    cursor = connection.cursor()
    _switch_to_wal(cursor)
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _switch_to_wal(cursor: DBAPICursor) -> None:
    """Switch the file to WAL, which it then stays; another process may be just making it."""
    deadline = time.monotonic() + _LOCK_WAIT_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            await_only(asyncio.sleep(_LOCK_RETRY_SECONDS))
        else:
            return
