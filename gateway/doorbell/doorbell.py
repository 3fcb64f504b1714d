"""The doorbell: Redis, over which processes tell each other at once what the invalidation log tells them anyway."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from gateway.doorbell.listening import Listening
from gateway.doorbell.ringing import Ringing
from gateway.redis_connection import open_redis

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

# One listens; the others ring.
_CONNECTIONS = 4


class Doorbell:
    """Both sides of it. It may be away at any moment: then revocations act when the log is read, within a second."""

    def __init__(self, url: str) -> None:
        self._redis = open_redis(url, max_connections=_CONNECTIONS)
        self._ringing = Ringing(self._redis)
        self._listening = Listening(self._redis)

    @property
    def connected(self) -> bool:
        return self._listening.connected

    @property
    def lost_since(self) -> datetime | None:
        return self._listening.lost_since

    def ring(self, subject: str) -> None:
        """Tell the other processes, without waiting."""
        self._ringing.ring(subject)

    async def send(self) -> None:
        """Send what rings, until cancelled."""
        await self._ringing.run()

    async def listen(self, *, hear: Callable[[str], None], read_log: Callable[[], Awaitable[None]]) -> None:
        """Listen until cancelled; `read_log` reads what was missed, each time that listening begins."""
        await self._listening.run(hear=hear, read_log=read_log)

    async def close(self) -> None:
        await self._redis.aclose()
