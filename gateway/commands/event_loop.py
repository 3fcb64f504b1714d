"""Run a command's coroutine on the loop that servers use."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Coroutine
from typing import Any, TypeVar

from gateway.audit.events import Circumstances, under

_Result = TypeVar("_Result")


def run_async(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Run on uvloop where there is one; asyncio's own loop does as well. What is audited says who is at the shell."""
    with under(Circumstances(actor=f"command line ({_operator()})")):
        try:
            import uvloop  # noqa: PLC0415 - has no wheel on every platform
        except ImportError:
            return asyncio.run(work)
        return uvloop.run(work)


def _operator() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # A container's user often has no name.
        return "unnamed"
