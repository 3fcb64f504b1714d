"""Work in flight: done once, for everybody who waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

_Outcome = TypeVar("_Outcome")


def launch(work: Coroutine[Any, Any, _Outcome]) -> asyncio.Task[_Outcome]:
    """Begin work that outlives whoever waits for it, who has to be shielded: `await asyncio.shield(flight)`."""
    flight = asyncio.create_task(work)
    flight.add_done_callback(_take_outcome)
    return flight


def _take_outcome(flight: asyncio.Task[Any]) -> None:
    """Everybody who waited may be gone; asyncio would complain about an outcome that nobody took."""
    if not flight.cancelled():
        flight.exception()
