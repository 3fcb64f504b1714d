"""P11: from the command to the first check that is answered, on a database that is there already."""

from __future__ import annotations

import socket
import time
from contextlib import suppress

from benchmarks.bench import Bench
from benchmarks.checks import Checks, with_sessions
from benchmarks.gateway import RunningGateway, running_gateway
from benchmarks.preload import Amounts
from benchmarks.row import Row, below

_STARTS = 10
_SECONDS = 1.5


def measure(bench: Bench) -> list[Row]:
    """Stop and start one gateway again and again, on whatever core is free: that is how people start it."""
    with running_gateway(bench, Amounts(sessions=1000)) as gateway:
        checks = with_sessions(gateway.credentials.sessions, cookie_name=gateway.settings.session_cookie_name)
        took = []
        for number in range(_STARTS):
            gateway.process.stop()
            took.append(_seconds_to_first_answer(gateway, checks))
            bench.progress.say(f"start {number + 1} of {_STARTS}: {took[-1]:.2f} s")
        bench.progress.clear()
    what = "from `gateway serve` to the first check that is answered"
    return [Row.of_rounds("P11", what, took, unit="s", target=below(_SECONDS, "s"), note="SQLite, one worker")]


def _seconds_to_first_answer(gateway: RunningGateway, checks: Checks) -> float:
    began = time.monotonic()
    gateway.process.start(ready=lambda: _lets_pass(gateway.port, checks))
    return time.monotonic() - began


def _lets_pass(port: int, checks: Checks) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(checks.request(0))
        return connection.recv(1024).startswith(b"HTTP/1.1 200 ")
    return False
