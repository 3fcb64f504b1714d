"""Waiting for what another process did: asked again and again, for as long as is promised.

What is asked after the bound has to hold, however long the answer takes: where a machine stands still for a moment, the
last look begins late, and a promise that is kept is not taken for a broken one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from aiohttp import ClientResponse


async def wait_for_answer(
    ask: Callable[[], Awaitable[ClientResponse]], wanted: Callable[[ClientResponse], bool], *, seconds: float = 1
) -> ClientResponse:
    """Give the first answer that is wanted. Raises `TimeoutError` when one that was asked for after the time is not."""
    answers: list[ClientResponse] = []

    async def is_wanted() -> bool:
        answers[:] = [await ask()]
        return wanted(answers[0])

    await wait_until(is_wanted, seconds=seconds)
    return answers[0]


async def wait_until(holds: Callable[[], Awaitable[bool]], *, seconds: float = 1) -> None:
    """Return as soon as it holds. Raises `TimeoutError` when a look that began after the time did not find it so."""
    bound = time.monotonic() + seconds
    while True:
        is_last = time.monotonic() >= bound
        if await holds():
            return
        if is_last:
            raise TimeoutError
        await asyncio.sleep(0.01)


async def until(holds: Callable[[], bool], *, seconds: float = 1) -> None:
    """Return as soon as something in this process holds. Raises `TimeoutError` when it did not in time."""

    async def look() -> bool:
        return holds()

    await wait_until(look, seconds=seconds)
