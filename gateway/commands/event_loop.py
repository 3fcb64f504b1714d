"""Run a command's coroutine on the loop that servers use."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

_Result = TypeVar("_Result")


def run_async(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Run on uvloop where there is one; asyncio's own loop does as well."""
    try:
        import uvloop  # noqa: PLC0415 - has no wheel on every platform
    except ImportError:
        return asyncio.run(work)
    return uvloop.run(work)
