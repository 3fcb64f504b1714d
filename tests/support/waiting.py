"""Waiting for what another process did: asked again and again, for as long as is promised."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import ClientResponse


async def wait_for_answer(
    ask: Callable[[], Awaitable[ClientResponse]], wanted: Callable[[ClientResponse], bool], *, seconds: float = 1
) -> ClientResponse:
    """Give the first answer that is wanted. Raises `TimeoutError` when none came in time."""
    async with asyncio.timeout(seconds):
        while not wanted(response := await ask()):  # noqa: ASYNC110 - nothing here tells what another process did
            await asyncio.sleep(0.01)
        return response


async def wait_until(holds: Callable[[], Awaitable[bool]], *, seconds: float = 1) -> None:
    """Return as soon as it holds. Raises `TimeoutError` when it did not in time."""
    async with asyncio.timeout(seconds):
        while not await holds():  # noqa: ASYNC110 - nothing here tells what another process did
            await asyncio.sleep(0.01)


async def until(holds: Callable[[], bool], *, seconds: float = 1) -> None:
    """Return as soon as something in this process holds. Raises `TimeoutError` when it did not in time."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - nothing here tells what another process did
            await asyncio.sleep(0.005)
