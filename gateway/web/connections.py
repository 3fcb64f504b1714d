"""The connections that are open, and how they end without a request lost."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Protocol

from aiohttp import web


class Connection(Protocol):
    """What a connection has to say and do to end well."""

    @property
    def owes_answer(self) -> bool:
        """Whether a request has begun to arrive that is not answered yet."""
        ...

    def leave(self) -> None:
        """Go, if need be, to where the next answer is marked as the last one."""

    def force_close(self) -> None:
        """End now."""


class Connections:
    """All that are open now."""

    def __init__(self) -> None:
        self._open: set[Connection] = set()
        self._draining = False
        self._none_left = asyncio.Event()

    def add(self, connection: Connection) -> None:
        self._open.add(connection)

    def remove(self, connection: Connection) -> None:
        self._open.discard(connection)
        if not self._open:
            self._none_left.set()

    async def mark_last_answer(self, _request: web.Request, response: web.StreamResponse) -> None:
        """Tell the client, while draining, that nothing more is answered on its connection."""
        if self._draining:
            response.headers["Connection"] = "close"
            response.force_close()

    async def drain(self, *, linger: timedelta, patience: timedelta) -> None:
        """End them all; nobody may be accepted any more.

        A client learns by an answer that its connection ends. One that is merely closed may be just sending a request,
        so those that are kept open get `linger` to ask once more. What was asked is answered within `patience`.
        """
        self._draining = True
        for connection in tuple(self._open):
            connection.leave()
        if await self._gone_within(linger):
            return
        for connection in tuple(self._open):
            if not connection.owes_answer:
                connection.force_close()
        await self._gone_within(patience)

    async def _gone_within(self, time: timedelta) -> bool:
        if not self._open:
            return True
        self._none_left.clear()
        try:
            async with asyncio.timeout(time.total_seconds()):
                await self._none_left.wait()
        except TimeoutError:
            return False
        return True
