"""One process that serves: the sockets it accepts connections on, and a graceful end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from socket import socket
from typing import TYPE_CHECKING

from aiohttp import web

from gateway.app import CHECKS, create_app
from gateway.fast_lane.connection import Connection
from gateway.fast_lane.lane import Lane
from gateway.fast_lane.stamp import Stamp
from gateway.listening import BACKLOG, bound_sockets, url_of
from gateway.preparation import Prepared, prepare
from gateway.storage.database import Database
from gateway.web.connections import Connections
from gateway.web.protocol import make_protocol

if TYPE_CHECKING:
    from gateway.config.secrets import Secrets
    from gateway.config.settings import Settings

_SHUTDOWN_TIMEOUT = timedelta(seconds=10)
# Tests switch it off, to hear from the other lane what it says about the same.
FAST_LANE = True


class Listeners:
    """What connections are accepted on."""

    def __init__(self, factory: Callable[[], asyncio.Protocol]) -> None:
        self._factory = factory
        self._servers: dict[socket, asyncio.Server] = {}

    async def open(self, sockets: Sequence[socket]) -> None:
        """Accept on them until they are closed here; the sockets themselves stay open."""
        loop = asyncio.get_running_loop()
        for one in sockets:
            # Each server closes the socket that it was given.
            self._servers[one] = await loop.create_server(self._factory, sock=one.dup(), backlog=BACKLOG)

    def close(self, sockets: Sequence[socket]) -> None:
        for one in sockets:
            if (server := self._servers.pop(one, None)) is not None:
                server.close()

    def close_all(self) -> None:
        self.close(tuple(self._servers))


@dataclass(frozen=True, slots=True)
class Serving:
    """A gateway that answers."""

    url: str
    prepared: Prepared


@asynccontextmanager
async def running_gateway(settings: Settings, secrets: Secrets) -> AsyncIterator[Serving]:
    """Prepare, and serve in this process for as long as the body runs. Raises `OSError`, `Unavailable`."""
    async with Database.opened(settings.database) as database:
        prepared = await prepare(settings, secrets, database)
        async with answering(settings, secrets, database, linger=timedelta(0)) as listeners:
            with bound_sockets(settings.listen, 1) as (sockets,):
                await listeners.open(sockets)
                yield Serving(url_of(sockets), prepared)


@asynccontextmanager
async def answering(
    settings: Settings, secrets: Secrets, database: Database, *, linger: timedelta
) -> AsyncIterator[Listeners]:
    """Answer on what the body opens, over a prepared database.

    What is in flight then is finished; connections that clients keep open may ask once more within `linger`.
    """
    app = create_app(settings, secrets, database)
    connections = Connections()
    app.on_response_prepare.append(connections.mark_last_answer)
    runner = web.AppRunner(app, shutdown_timeout=_SHUTDOWN_TIMEOUT.total_seconds())
    await runner.setup()
    try:
        async with _lanes(app, runner, connections) as factory:
            listeners = Listeners(factory)
            try:
                yield listeners
            finally:
                listeners.close_all()
                await connections.drain(linger=linger, patience=_SHUTDOWN_TIMEOUT)
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _lanes(
    app: web.Application, runner: web.AppRunner, connections: Connections
) -> AsyncIterator[Callable[[], asyncio.Protocol]]:
    """Give what makes the protocol of a new connection."""
    server = runner.server
    assert server is not None, "the runner was set up"  # noqa: S101 - for the type checker
    slow = partial(make_protocol, server, asyncio.get_running_loop(), connections)
    checks = app[CHECKS]
    stamp = Stamp(checks.full.decisions)
    lane = Lane(checks, stamp, connections, slow=slow)
    renewing = asyncio.create_task(stamp.run())
    try:
        yield partial(Connection, lane) if FAST_LANE else slow
    finally:
        renewing.cancel()
        if lane.asking:
            # Within the deadline of a check.
            await asyncio.wait(lane.asking)


def stop_event() -> asyncio.Event:
    """Give an event that is set by SIGTERM or SIGINT."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    return stopped
