"""The gateway, an application that knows no login, and nginx between the visitor and both."""

from __future__ import annotations

import asyncio
import errno
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from gateway.demo.administrator import kept_administrator
from gateway.demo.application import application_running
from gateway.demo.errors import DemoFailed
from gateway.demo.nginx import find_nginx, listen_on_loopback, nginx_running
from gateway.demo.settings import administrator_is_configured, demo_settings, with_administrator
from gateway.proxy_config.nginx import render
from gateway.serving import running_gateway, stop_event

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from gateway.config.secrets import Secrets
    from gateway.config.settings import Settings
    from gateway.demo.nginx import RunningNginx

_OTHER_LISTEN = "127.0.0.1:9092"


async def run_demo(settings: Settings, secrets: Secrets, *, port: int, say: Callable[[str], None]) -> None:
    """Run all three until SIGTERM or SIGINT, nginx on `port`; what they keep is in the data folder.

    Raises `DemoFailed` when one of them cannot start, or when nginx ends before it is told to.
    """
    find_nginx()
    settings = demo_settings(settings)
    password = "as configured"  # noqa: S105 - what is said instead of one
    if not administrator_is_configured(settings):
        administrator = kept_administrator(settings.data_dir)
        settings, password = with_administrator(settings, administrator), administrator.password
    stopped = stop_event()
    async with _everything_running(settings, secrets, port=port) as nginx:
        for line in _greeting(settings, port=port, password=password):
            say(line)
        await _wait_for_either(stopped, nginx)


@asynccontextmanager
async def _everything_running(settings: Settings, secrets: Secrets, *, port: int) -> AsyncIterator[RunningNginx]:
    """Start in the order of need and end in the other: nginx never asks a gateway that is gone."""
    async with AsyncExitStack() as stack:
        with _cure_for_taken_port(port, "`make run PORT=8090` or `gateway demo --port 8090`"):
            listener = stack.enter_context(listen_on_loopback(port))
        gateway_port = settings.listen.port
        with _cure_for_taken_port(gateway_port, f"GATEWAY_LISTEN, such as `GATEWAY_LISTEN={_OTHER_LISTEN}`"):
            await stack.enter_async_context(running_gateway(settings, secrets))
        application = await stack.enter_async_context(application_running(log_out_url=f"{settings.public_url}/logout"))
        files = render(
            settings, site=settings.public_host, application=application, listen=f"127.0.0.1:{port}", portal=False
        )
        yield stack.enter_context(nginx_running(listener, files))


@contextmanager
def _cure_for_taken_port(port: int, cure: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
            raise
        cause = "is taken by another program" if error.errno == errno.EADDRINUSE else "may not be used by this user"
        message = f"Port {port} {cause}. Choose another one with {cure}."
        raise DemoFailed(message) from error


def _greeting(settings: Settings, *, port: int, password: str) -> tuple[str, ...]:
    return (
        "",
        f"Application: http://{settings.public_host}:{port} (behind nginx; asks you to log in)",
        f"Gateway: {settings.public_url}",
        "",
        f"Administrator: {settings.basic_auth.initial_org_admin_email}",
        f"Password: {password}",
        "",
        f"Kept in {settings.data_dir.resolve()}; Ctrl-C ends the demo.",
    )


async def _wait_for_either(stopped: asyncio.Event, nginx: RunningNginx) -> None:
    """Wait for the signal; raise `DemoFailed` when nginx ends first."""
    signal = asyncio.create_task(stopped.wait())
    # The thread ends with nginx, which is ended whatever happens.
    end = asyncio.create_task(asyncio.to_thread(nginx.process.wait))
    await asyncio.wait({signal, end}, return_when=asyncio.FIRST_COMPLETED)
    signal.cancel()
    if not stopped.is_set():
        message = f"nginx ended by itself. Its last words:\n{nginx.last_words()}"
        raise DemoFailed(message)
