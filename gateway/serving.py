"""One process that serves: prepare, listen, stop gracefully."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from gateway.app import create_app
from gateway.preparation import Prepared, prepare
from gateway.storage.database import Database
from gateway.web.protocol import Protocol, make_protocol

if TYPE_CHECKING:
    from gateway.config.secrets import Secrets
    from gateway.config.settings import Settings

# Traefik opens a new connection for more than half of its checks.
_BACKLOG = 1024
_SHUTDOWN_TIMEOUT = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Serving:
    """A gateway that answers."""

    host: str
    port: int
    prepared: Prepared

    @property
    def url(self) -> str:
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


@asynccontextmanager
async def running_gateway(settings: Settings, secrets: Secrets) -> AsyncIterator[Serving]:
    """Serve for as long as the body runs; what is in flight at its end is finished. Raises `OSError`, `Unavailable`."""
    database = Database.open(settings.database_path)
    try:
        prepared = await prepare(settings, secrets, database)
        app = create_app(settings, secrets, database)
    except BaseException:
        await database.close()
        raise
    runner = web.AppRunner(app, shutdown_timeout=_SHUTDOWN_TIMEOUT.total_seconds())
    await runner.setup()
    try:
        loop = asyncio.get_running_loop()
        listener = await loop.create_server(
            _protocol_factory(runner), settings.listen.host, settings.listen.port, backlog=_BACKLOG
        )
        try:
            host, port = listener.sockets[0].getsockname()[:2]
            yield Serving(host, port, prepared)
        finally:
            listener.close()
    finally:
        await runner.cleanup()


def _protocol_factory(runner: web.AppRunner) -> Callable[[], Protocol]:
    server = runner.server
    assert server is not None, "the runner was set up"  # noqa: S101 - for the type checker
    return partial(make_protocol, server, asyncio.get_running_loop())


async def serve_until_stopped(settings: Settings, secrets: Secrets, *, on_ready: Callable[[Serving], None]) -> None:
    """Serve until SIGTERM or SIGINT."""
    stopped = stop_event()
    async with running_gateway(settings, secrets) as serving:
        on_ready(serving)
        await stopped.wait()


def stop_event() -> asyncio.Event:
    """Give an event that is set by SIGTERM or SIGINT."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    return stopped
