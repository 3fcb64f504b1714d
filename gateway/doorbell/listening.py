"""Listening: what other processes ring, and whether anybody could be heard at all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog

from gateway.doorbell.ringing import CHANNEL
from gateway.redis_connection import REDIS_FAILURES

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from redis.asyncio.client import PubSub

_log = structlog.get_logger("gateway.doorbell")

_DEADLINE = timedelta(seconds=1)
# A server that says nothing and one that is gone look the same until it is asked.
_HEARTBEAT = timedelta(seconds=2)
_FIRST_PAUSE = timedelta(milliseconds=100)
_LONGEST_PAUSE = timedelta(seconds=5)


class Listening:
    """One subscription, made again whenever it is lost.

    What was rung while there was none is lost: after each new one, `read_log` is asked to read what was missed. A
    subject goes to `hear`, which forgets what it concerns; nothing that comes from here can make anything known.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self.connected = False
        self.lost_since: datetime | None = None

    async def run(self, *, hear: Callable[[str], None], read_log: Callable[[], Awaitable[None]]) -> None:
        """Listen until cancelled."""
        pause = _FIRST_PAUSE
        try:
            while True:
                try:
                    async with self._redis.pubsub() as subscription:
                        await self._listen(subscription, hear, read_log)
                except REDIS_FAILURES as error:
                    # One that had been connected is likely to be back soon.
                    pause = _FIRST_PAUSE if self.connected else min(2 * pause, _LONGEST_PAUSE)
                    self._note_loss(error)
                await asyncio.sleep(pause.total_seconds())
        finally:
            self.connected = False

    async def _listen(
        self, subscription: PubSub, hear: Callable[[str], None], read_log: Callable[[], Awaitable[None]]
    ) -> None:
        async with asyncio.timeout(_DEADLINE.total_seconds()):
            await subscription.subscribe(CHANNEL)
        while True:
            message = await self._next(subscription)
            if message["type"] == "subscribe":
                # Redis-py subscribes again by itself when a connection broke; that says so as well.
                self._note_subscription()
                await read_log()
            elif message["type"] == "message":
                hear(message["data"].decode("ascii", "replace"))

    async def _next(self, subscription: PubSub) -> dict[str, Any]:
        """Give what came. A silent server is asked; one that does not answer is a failure."""
        message = await self._within(subscription, _HEARTBEAT if self.connected else _DEADLINE)
        if message is None and self.connected:
            async with asyncio.timeout(_DEADLINE.total_seconds()):
                await subscription.ping()
            message = await self._within(subscription, _DEADLINE)
        if message is None:
            raise TimeoutError
        return message

    async def _within(self, subscription: PubSub, patience: timedelta) -> dict[str, Any] | None:
        # Redis-py's own time-out covers reading, and not the reconnecting that it may do before.
        async with asyncio.timeout((patience + _DEADLINE).total_seconds()):
            message: dict[str, Any] | None = await subscription.get_message(timeout=patience.total_seconds())
        return message

    def _note_subscription(self) -> None:
        if self.lost_since is not None:
            _log.warning("doorbell_connected_again")
        self.connected, self.lost_since = True, None

    def _note_loss(self, error: Exception) -> None:
        if self.lost_since is None:
            self.lost_since = datetime.now(UTC)
            _log.warning("doorbell_lost", error=str(error) or type(error).__name__)
        self.connected = False
