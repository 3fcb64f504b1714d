"""Asking PostgreSQL by the driver itself, on connections that are held: a pool would ask twice for each question."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import asyncpg

from gateway.errors import DatabaseUnavailable
from gateway.storage.engines import LOCK_WAIT_SECONDS
from gateway.storage.prepared_reads import Answer, CompiledRead, PreparedRead

if TYPE_CHECKING:
    from sqlalchemy import Dialect

# With one more, checks that nothing is known of come a little quicker; but every process has as many.
HELD_CONNECTIONS = 3


class PostgresqlReader:
    """A few connections that read. One that fails is replaced, and what it was asked is asked the ordinary way."""

    def __init__(self, connect: Callable[[], Awaitable[asyncpg.Connection]], dialect: Dialect) -> None:
        self._connect = connect
        self._dialect = dialect
        self._compiled: dict[PreparedRead, CompiledRead] = {}
        self._places = asyncio.Semaphore(HELD_CONNECTIONS)
        self._idle: list[asyncpg.Connection] = []

    async def ask(self, read: PreparedRead, wanted: str | bytes) -> list[Answer] | None:
        compiled = self._compiled.get(read)
        if compiled is None:
            compiled = self._compiled[read] = CompiledRead(read, self._dialect)
        await self._take_place()
        try:
            connection = await self._take()
            try:
                rows = await connection.fetch(compiled.text, wanted)
            except BaseException:
                # Cancelled as well: nobody knows what the server would say next. Without a goodbye, it may be silent.
                connection.terminate()
                raise
            self._idle.append(connection)
        except (TimeoutError, asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError) as error:
            # It was waited for; the ordinary way would wait as long again.
            self._drop()
            message = "the database did not answer in time"
            raise DatabaseUnavailable(message) from error
        except DatabaseUnavailable as error:
            if not isinstance(error.__cause__, asyncpg.TooManyConnectionsError):
                raise
            # It is there, and the ordinary way may have a connection.
            return None
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
            self._drop()
            return None
        finally:
            self._places.release()
        return compiled.answer(rows)

    def ask_at_once(self, _read: PreparedRead, _wanted: str | bytes) -> None:
        """Give nothing: a server has to be waited for."""

    async def close(self) -> None:
        self._drop()

    async def _take_place(self) -> None:
        if not self._places.locked():
            await self._places.acquire()
            return
        try:
            async with asyncio.timeout(LOCK_WAIT_SECONDS):
                await self._places.acquire()
        except TimeoutError as error:
            message = "the database is too slow: every connection was in use for too long"
            raise DatabaseUnavailable(message) from error

    async def _take(self) -> asyncpg.Connection:
        """Give a connection. Raises `DatabaseUnavailable` with cause and cure."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        return await self._connect()

    def _drop(self) -> None:
        """Hang up: what failed on one connection most likely fails on the others."""
        while self._idle:
            self._idle.pop().terminate()
