"""Asynchronous things that run beside blocking tests, in a thread with a loop of its own."""

from __future__ import annotations

import asyncio
import threading
from contextlib import AsyncExitStack, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from contextlib import AbstractAsyncContextManager

T = TypeVar("T")


@contextmanager
def in_background(
    manager: AbstractAsyncContextManager[T],
    *,
    new_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop,
) -> Iterator[T]:
    """Enter an asynchronous context manager, and leave it at the end of the block.

    A gateway that lives on beside other tests removes nothing: one of them may just have moved the clock.
    """
    loop = new_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def wait_for(work: Coroutine[object, object, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, loop).result()

    stack = AsyncExitStack()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("gateway.cleaning._FIRST_AFTER", timedelta(days=1))
            entered = wait_for(stack.enter_async_context(manager))
        yield entered
    finally:
        asyncio.run_coroutine_threadsafe(stack.aclose(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
