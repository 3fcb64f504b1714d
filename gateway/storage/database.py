"""The connections: reads without a transaction, writes in exactly one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Self, TypeVar

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from gateway.config.database_url import DatabaseAddress, SqliteFile
from gateway.errors import ConnectionLost, DatabaseUnavailable
from gateway.storage.sqlite import sqlite_engines

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.storage.engines import Engines
    from gateway.storage.prepared_reads import PreparedRead, Row

_Answer = TypeVar("_Answer")

# Of PostgreSQL: a value that it does not take, or not in that place. Its message repeats the value.
_DATA_EXCEPTIONS = "22"
_NOT_PERMITTED = "42501"
# Since version 15 nobody but the owner may make tables.
_OWN_IT = "let the user of DATABASE_URL own the database (ALTER DATABASE ... OWNER TO ...), and the tables in it"


class Database:
    """One SQLite file, or one database on a PostgreSQL server. Every failure of the engine becomes `Unavailable`."""

    def __init__(self, engines: Engines) -> None:
        self._readers = engines.readers
        self._writer = engines.writer
        self._migrator = engines.migrator
        self._lasting = engines.lasting
        self._short_way = engines.short_way

    @classmethod
    def open(cls, address: DatabaseAddress) -> Self:
        """Prepare connections; a file is created with the first one, readable by its owner only."""
        if isinstance(address, SqliteFile):
            return cls(sqlite_engines(address.path))
        # Whoever keeps everything in a file does not load another driver.
        from gateway.storage.postgresql import postgresql_engines  # noqa: PLC0415

        return cls(postgresql_engines(address))

    @classmethod
    @asynccontextmanager
    async def opened(cls, address: DatabaseAddress) -> AsyncIterator[Self]:
        """Open for as long as the body runs."""
        database = cls.open(address)
        try:
            yield database
        finally:
            await database.close()

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

    async def ask(self, question: Callable[[AsyncConnection], Awaitable[_Answer]]) -> _Answer:
        """Read, and once more on another connection where the first one was lost: a server was restarted, say."""
        try:
            async with self.read() as connection:
                return await question(connection)
        except ConnectionLost:
            async with self.read() as connection:
                return await question(connection)

    @property
    def answers_at_once(self) -> bool:
        """Whether `look_up_at_once` ever gives something."""
        return self._short_way.answers_at_once

    def look_up_at_once(self, read: PreparedRead, wanted: str | bytes) -> Row | None:
        """Give the row where that takes microseconds; `None` says nothing: `look_up`."""
        rows = self._short_way.ask_at_once(read, wanted)
        return rows[0] if rows else None

    async def look_up(self, read: PreparedRead, wanted: str | bytes) -> Row | None:
        """Ask a prepared read, as `ask` would, the short way if there is one now."""
        rows = await self._short_way.ask(read, wanted)
        if rows is not None:
            return rows[0] if rows else None
        return await self.ask(lambda connection: read.ask(connection, wanted))

    @asynccontextmanager
    async def change_tables(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection as `write` does, for statements that may take minutes."""
        try:
            async with self.translate_failures(), self._migrator.begin() as connection:
                yield connection
        finally:
            # Not needed again.
            await self._migrator.dispose()

    async def connect(self) -> AsyncConnection:
        """Give a reading connection for good; the caller closes it."""
        async with self.translate_failures():
            return await self._lasting.connect()

    @asynccontextmanager
    async def translate_failures(self) -> AsyncIterator[None]:
        """Turn a failing engine into `Unavailable`; a broken constraint stays what it is, its caller expects it."""
        try:
            yield
        except IntegrityError:
            raise
        except DBAPIError as error:
            kind = ConnectionLost if error.connection_invalidated else DatabaseUnavailable
            raise kind(_reason(error)) from error
        except PoolTimeout as error:
            message = "the database is too slow: every connection was in use for too long"
            raise DatabaseUnavailable(message) from error
        except (TimeoutError, ConnectionError) as error:
            message = "the database did not answer in time"
            raise DatabaseUnavailable(message) from error

    async def close(self) -> None:
        await self._short_way.close()
        await self._readers.dispose()
        await self._writer.dispose()
        await self._lasting.dispose()


def _reason(error: DBAPIError) -> str:
    """Give the words of the engine, without the statement; a value that was in it may be a secret."""
    # SQLite has none, and what asyncpg itself says about a value has an empty one.
    sqlstate = getattr(error.orig, "sqlstate", "")
    said = "" if sqlstate is None or sqlstate.startswith(_DATA_EXCEPTIONS) else f": {error.orig}"
    cure = f" ({_OWN_IT})" if sqlstate == _NOT_PERMITTED else ""
    return f"the database cannot do its work{said}{cure}"
