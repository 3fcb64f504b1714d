"""Ringing: what was revoked here is told to the other processes, after the commit and beside everything else."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from gateway.redis_connection import REDIS_FAILURES

if TYPE_CHECKING:
    from redis.asyncio import Redis

CHANNEL = "gateway:invalidations"

# What does not fit is not rung: the log tells it.
_WAITING = 1024
_DEADLINE = timedelta(seconds=1)


class Ringing:
    """A bounded queue, and who works it off. `ring` never waits and never fails: whoever revoked has answered."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._waiting: asyncio.Queue[str] = asyncio.Queue(_WAITING)

    def ring(self, subject: str) -> None:
        if not self._waiting.full():
            self._waiting.put_nowait(subject)

    async def run(self) -> None:
        """Ring until cancelled; what fails is not tried again, for by then the log has told it."""
        while True:
            await publish(self._redis, await self._waiting.get())


async def publish(redis: Redis, *subjects: str) -> None:
    """Ring, in one round trip, if that can be done soon."""
    try:
        async with asyncio.timeout(_DEADLINE.total_seconds()), redis.pipeline(transaction=False) as pipeline:
            for subject in subjects:
                pipeline.publish(CHANNEL, subject)
            await pipeline.execute()
    except REDIS_FAILURES:
        # The listening connection notices a Redis that is away, and says so once.
        return
