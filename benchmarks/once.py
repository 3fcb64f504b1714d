"""Ask each of many checks exactly once: what fills a cache, and what no cache can know."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import BinaryIO

from benchmarks.bench import Progress, Unusable
from benchmarks.checks import Checks
from benchmarks.wrk import CONNECTIONS

_BETWEEN_REPORTS_SECONDS = 5


def ask_each_once(port: int, checks: Checks, numbers: range, progress: Progress | None = None) -> None:
    """Ask the checks of these numbers, as many at a time as there are connections.

    Raises `Unusable` unless each is answered 200.
    """
    reported_at = time.monotonic()
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(CONNECTIONS)]
        pairs = [(one, stack.enter_context(one.makefile("rb"))) for one in sockets]
        for start in range(0, len(numbers), CONNECTIONS):
            _ask(pairs, checks, numbers[start : start + CONNECTIONS])
            if progress is not None and time.monotonic() - reported_at > _BETWEEN_REPORTS_SECONDS:
                reported_at = time.monotonic()
                progress.say(f"asked {start:,} of {len(numbers):,} checks, each once")


def _ask(pairs: Sequence[tuple[socket.socket, BinaryIO]], checks: Checks, numbers: range) -> None:
    asked = list(zip(pairs, numbers, strict=False))
    for (connection, _), number in asked:
        connection.sendall(checks.request(number))
    for (_, answers), _ in asked:
        status_line = answers.readline()
        if not status_line.startswith(b"HTTP/1.1 200 "):
            message = f"a check was answered {status_line.decode(errors='replace').strip() or 'by nothing'}"
            raise Unusable(message)
        while answers.readline() not in (b"\r\n", b""):
            pass
