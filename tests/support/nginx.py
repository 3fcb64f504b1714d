"""A real nginx in front of an application that shows what reaches it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from gateway.demo.nginx import nginx_running
from gateway.proxy_config.nginx import render
from tests.support.protected_site import HOST, ProtectedSite, show
from tests.support.threaded_server import Received, Reply, answering

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from gateway.config.settings import Settings


@contextmanager
def site_behind_nginx(
    settings: Settings, listener: socket.socket, *, application_answers: Callable[[Received], Reply] = show
) -> Iterator[ProtectedSite]:
    """Put nginx with our configuration between visitors and an application, until the end of the block."""
    port: int = listener.getsockname()[1]
    with answering(application_answers) as application:
        files = render(
            settings,
            site=HOST,
            application=f"http://127.0.0.1:{application.port}",
            listen=f"127.0.0.1:{port}",
        )
        with nginx_running(listener, files):
            yield ProtectedSite(port, application)
