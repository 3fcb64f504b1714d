"""Lines: of one account, or one address, no more secrets are looked at together than may still fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager
from datetime import timedelta

from gateway.errors import Unavailable

_DEADLINE = timedelta(seconds=10)
_LENGTH = 512

# How many may have their turn at once, as things are now; raises where nobody may.
Room = Callable[[], Awaitable[int]]


class Lines:
    """A line for each key, in this process, for as long as somebody stands in it."""

    def __init__(self) -> None:
        self._lines: dict[Hashable, _Line] = {}

    @asynccontextmanager
    async def turn(self, key: Hashable, room: Room) -> AsyncIterator[None]:
        """Wait until there is room, first come, first served. Raises what `room` raises, or `Unavailable`."""
        line = self._lines.setdefault(key, _Line())
        if line.people >= _LENGTH:
            raise Unavailable
        line.people += 1
        try:
            async with line.turn(room):
                yield
        finally:
            line.people -= 1
            if not line.people:
                del self._lines[key]


class _Line:
    """Only who stands first asks for room; who has finished lets the first one ask again."""

    def __init__(self) -> None:
        self.people = 0
        self._in_turn = 0
        self._first = asyncio.Lock()
        self._finished = asyncio.Event()

    @asynccontextmanager
    async def turn(self, room: Room) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(_DEADLINE.total_seconds()):
                await self._wait(room)
        except TimeoutError as error:
            raise Unavailable from error
        try:
            yield
        finally:
            self._in_turn -= 1
            self._finished.set()

    async def _wait(self, room: Room) -> None:
        async with self._first:
            while True:
                # Cleared before the question: who finishes while it is answered is not missed.
                self._finished.clear()
                if self._in_turn < await room():
                    self._in_turn += 1
                    return
                await self._finished.wait()
