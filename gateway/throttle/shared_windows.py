"""Where all processes keep the windows of addresses together: in Redis, which may be away at any moment."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, ParamSpec, TypeVar

import structlog
from limits.aio.storage import RedisStorage

from gateway.redis_connection import REDIS_FAILURES, open_redis
from gateway.throttle.window_storage import WindowStorage

_log = structlog.get_logger("gateway")

_KEY_PREFIX = "gateway:limits"
# A thousand times what an answer takes. Whoever logs in waits for so long at most, and once.
DEADLINE = timedelta(milliseconds=200)
_LOOK_AGAIN_AFTER = timedelta(seconds=1)
_CONNECTIONS = 4
_P = ParamSpec("_P")
_Answer = TypeVar("_Answer")


class SharedWindows(WindowStorage):
    """Count in Redis, and here what was counted here: of the two answers the stricter one is given.

    What was counted here is never more than what was counted by all. So a Redis that is lost, flushed or replaced by
    an empty one gives nobody a fresh allowance of this process, and whoever is over the limit here needs no question.

    After a failure nobody waits for Redis: it is tried in the background, once a second while somebody is counted.
    """

    def __init__(self, url: str) -> None:
        super().__init__()
        # The time-outs of the connection count as well: `asyncio.wait_for`, which redis-py calls, lets a deadline that
        # comes together with its answer go by (Python 3.11).
        self._redis = open_redis(url, max_connections=_CONNECTIONS, timeout=DEADLINE)
        # The pool says where Redis is, and the URL does not.
        pool: dict[str, Any] = {"connection_pool": self._redis.connection_pool}
        self._shared = RedisStorage("redis://", implementation="redispy", key_prefix=_KEY_PREFIX, **pool)
        self._lost = False
        self._next_trial = 0.0
        self._trial: asyncio.Task[None] | None = None

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count, if there is room; what has no room there is not counted here."""
        _, here = await super().get_moving_window(key, limit, expiry)
        if here + amount > limit:
            return False
        if await self._ask(self._shared.acquire_entry, key, limit, expiry, amount) is False:
            return False
        return await super().acquire_entry(key, limit, expiry, amount)

    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """Give the window with more in it, here or there."""
        here = await super().get_moving_window(key, limit, expiry)
        if here[1] >= limit:
            return here
        there = await self._ask(self._shared.get_moving_window, key, limit, expiry)
        if there is None or there[1] < here[1]:
            return here
        # Whoever else writes there may have another clock, or anything in mind: nobody waits for longer than a window.
        begin, now = there[0], time.time()
        return (begin if now - expiry <= begin <= now else now), there[1]

    async def clear(self, key: str) -> None:
        await super().clear(key)
        await self._ask(self._shared.clear, key)

    async def close(self) -> None:
        if self._trial is not None:
            self._trial.cancel()
            with suppress(asyncio.CancelledError):
                await self._trial
        await self._redis.aclose()

    async def _ask(
        self, question: Callable[_P, Awaitable[_Answer]], *args: _P.args, **kwargs: _P.kwargs
    ) -> _Answer | None:
        """Give Redis's answer; `None` when there is none in time."""
        if self._lost:
            if self._trial is None and _now() >= self._next_trial:
                self._trial = asyncio.create_task(self._try())
            return None
        try:
            async with asyncio.timeout(DEADLINE.total_seconds()):
                return await question(*args, **kwargs)
        except REDIS_FAILURES as error:
            # Of many who asked at once only one says so. A message could repeat what was sent, the kind cannot.
            if not self._lost:
                self._lost, self._next_trial = True, _now() + _LOOK_AGAIN_AFTER.total_seconds()
                _log.warning("redis_limits_lost", error=type(error).__name__)
            return None

    async def _try(self) -> None:
        """Count something: a Redis that is full, or a replica, answers a PING as well."""
        self._next_trial = _now() + _LOOK_AGAIN_AFTER.total_seconds()
        try:
            async with asyncio.timeout(DEADLINE.total_seconds()):
                await self._shared.acquire_entry("trial", 1, 1)
        except REDIS_FAILURES:
            return
        finally:
            self._trial = None
        self._lost = False
        _log.warning("redis_limits_back")


def _now() -> float:
    return asyncio.get_running_loop().time()
