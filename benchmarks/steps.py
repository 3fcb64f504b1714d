"""Where the time of a warm check goes, in one process and without sockets: `python -m benchmarks.steps`.

Each step is measured by itself, so that together they are not quite the whole. The best of many rounds is given, for
what a busy machine adds is not the check's.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import structlog
import uvloop
from aiohttp import web  # noqa: TID251 - the gateway is run without a server

from benchmarks.bench import Unusable
from benchmarks.checks import with_sessions
from benchmarks.preload import Amounts, fill
from gateway.app import CHECKS, create_app
from gateway.config.loading import load_settings
from gateway.config.secrets import load_secrets
from gateway.fast_lane.connection import Connection
from gateway.fast_lane.heads import HeadReader
from gateway.fast_lane.lane import Lane
from gateway.fast_lane.stamp import Stamp
from gateway.forward_auth.checks import Checks
from gateway.storage.database import Database
from gateway.web.connections import Connections
from gateway.web.protocol import Protocol

# Together less than a second, for which what is known counts.
_ROUNDS = 20
_CHECKS = 600
_ENVIRON = {
    "GATEWAY_PUBLIC_URL": "https://login.example.com",
    "GATEWAY_COOKIE_DOMAIN": "example.com",
    "INITIAL_ORG_ADMIN_EMAIL": "admin@example.com",
    "INITIAL_ORG_ADMIN_PASSWORD": "Correct-horse-7",
}
_ENOUGH_TO_READ_THE_LOG = 0.5


class _Transport(asyncio.Transport):
    """Takes answers, and does nothing with them."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - asyncio's signature
        return ("127.0.0.1", 0) if name == "peername" else default

    def is_closing(self) -> bool:
        return False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        pass


async def _measure(folder: Path) -> None:
    settings = load_settings(None, (), {**_ENVIRON, "GATEWAY_DATA_DIR": str(folder)}).settings
    credentials = await fill(settings, Amounts(sessions=1))
    checks = with_sessions(credentials.sessions, cookie_name=settings.session_cookie_name)
    requests = [checks.request(number) for number in range(_CHECKS)]
    async with Database.opened(settings.database) as database:
        app = create_app(settings, load_secrets(settings), database)
        runner = web.AppRunner(app)
        await runner.setup()
        await _print_steps(app[CHECKS], requests)
        await runner.cleanup()


async def _print_steps(checks: Checks, requests: list[bytes]) -> None:
    lane = Lane(checks, Stamp(checks.full.decisions), Connections(), slow=_nowhere)
    connection, reader = Connection(lane), HeadReader()
    connection.connection_made(_Transport())
    for request in requests:
        connection.data_received(request)
    asked = [recalled for recalled in map(lane.heads.recall, requests) if recalled is not None]
    if len(asked) < len(requests):
        _nowhere()
    known, values = asked[0]
    beginning = known.warm.head(known.frame, values)

    def read_head(request: bytes) -> None:
        reader.feed(request)
        request.count(b"\n")
        known.warm.frame(reader.headers)
        reader.forget()

    click.echo(f"Microseconds of a warm check, best of {_ROUNDS} rounds:")
    await _print("a head is recalled", lane.heads.recall, requests)
    await _print("memory decides", lambda one: one[0].warm.head(one[0].frame, one[1]), asked)
    await _print("the answer is completed", lambda _: lane.stamp.complete(beginning), requests)
    await _print("all of it, and what joins it", connection.data_received, requests)
    await _print("what is spared: a head is read", read_head, requests)
    connection.connection_lost(None)


def _nowhere() -> Protocol:
    message = "a check was not answered in the fast lane: nothing was measured"
    raise Unusable(message)


async def _print(step: str, work: Callable[[Any], object], items: list[Any]) -> None:
    # What is known counts on once the log was read again.
    await asyncio.sleep(_ENOUGH_TO_READ_THE_LOG)
    loop, best = (min(_round(one, items) for _ in range(_ROUNDS)) for one in (id, work))
    click.echo(f"  {step:30} {(best - loop) / 1000:6.2f}")


def _round(work: Callable[[Any], object], items: list[Any]) -> float:
    begun = time.process_time_ns()
    for item in items:
        work(item)
    return (time.process_time_ns() - begun) / len(items)


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with TemporaryDirectory(prefix="gateway-bench-") as folder:
        uvloop.run(_measure(Path(folder)))


if __name__ == "__main__":
    main()
