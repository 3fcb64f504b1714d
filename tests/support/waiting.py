"""Waiting for what another process did: asked again and again.

Longer than is promised: a machine that runs many tests at once stands still for seconds. What is promised within a
second is measured by `make bench-revocation`, and held by `make faults`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import ClientResponse

_PATIENCE_SECONDS = 10.0


async def wait_for_answer(
    ask: Callable[[], Awaitable[ClientResponse]],
    wanted: Callable[[ClientResponse], bool],
    *,
    seconds: float = _PATIENCE_SECONDS,
) -> ClientResponse:
    """Give the first answer that is wanted. Raises `TimeoutError` when none came in time."""
    async with asyncio.timeout(seconds):
        while not wanted(response := await ask()):  # noqa: ASYNC110 - nothing here tells what another process did
            await asyncio.sleep(0.01)
        return response


async def wait_until(holds: Callable[[], Awaitable[bool]], *, seconds: float = _PATIENCE_SECONDS) -> None:
    """Return as soon as it holds. Raises `TimeoutError` when it did not in time."""
    async with asyncio.timeout(seconds):
        while not await holds():  # noqa: ASYNC110 - nothing here tells what another process did
            await asyncio.sleep(0.01)


async def until(holds: Callable[[], bool], *, seconds: float = _PATIENCE_SECONDS) -> None:
    """Return as soon as something in this process holds. Raises `TimeoutError` when it did not in time."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - nothing here tells what another process did
            await asyncio.sleep(0.005)
