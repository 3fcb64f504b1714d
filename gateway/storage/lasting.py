"""A connection that is kept for good, heard as well as asked, and never waited for when the server is silent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from gateway.errors import Unavailable

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.storage.database import Database

_POSTGRESQL = "postgresql"


class LastingConnection:
    """One reading connection, and what others say on a channel of the database, where it has such (PostgreSQL)."""

    def __init__(self, connection: AsyncConnection, driver: Any) -> None:  # noqa: ANN401 - of either engine
        self.connection = connection
        self._driver = driver
        self._closing: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, database: Database, *, channel: str, hear: Callable[[str], None]) -> Self:
        """Connect and listen. Raises `Unavailable`."""
        connection = await database.connect()
        opened = cls(connection, (await connection.get_raw_connection()).driver_connection)
        try:
            await opened._listen(channel, hear)
        except BaseException:
            opened.abandon()
            raise
        return opened

    async def _listen(self, channel: str, hear: Callable[[str], None]) -> None:
        if self.connection.dialect.name != _POSTGRESQL:
            return

        def take(_driver: object, _pid: int, _channel: str, payload: str) -> None:
            hear(payload)

        try:
            await self._driver.add_listener(channel, take)
        except Exception as error:
            # The driver is asked past SQLAlchemy, and has errors of its own.
            raise Unavailable from error

    def abandon(self) -> asyncio.Task[None]:
        """Throw away; whoever waits for the result may. A server is not told, for it may be the one that is silent."""
        if self._closing is None:
            if self.connection.dialect.name == _POSTGRESQL:
                # What is being asked fails now.
                self._driver.terminate()
            self._closing = asyncio.create_task(self._close())
        return self._closing

    async def _close(self) -> None:
        with suppress(Exception):
            await self.connection.invalidate()
        with suppress(Exception):
            await self.connection.close()
