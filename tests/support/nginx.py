"""A real nginx in front of an application that shows what reaches it."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.config.loading import load_settings
from gateway.demo.nginx import nginx_running
from gateway.proxy_config.nginx import render
from tests.support.gateway import environment
from tests.support.raw_http import RawAnswer, exchange, request_bytes
from tests.support.threaded_server import Received, Reply, ThreadedServer, answering

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from gateway.config.settings import Settings

HOST = "app.example.com"
PORTAL = "auth.example.com"
APPLICATION_SAYS = "the application was here"


@dataclass(frozen=True, slots=True)
class ProtectedSite:
    """What visitors talk to, and what its application received."""

    port: int
    application: ThreadedServer

    def ask(self, request_line: str, *lines: str, body: bytes = b"", host: str = HOST) -> RawAnswer:
        """Send header lines exactly as they are, with the port in Host as clients do."""
        return exchange(self.port, request_bytes(request_line, f"Host: {host}:{self.port}", *lines, body=body))

    def application_headers(self, *lines: str) -> list[tuple[str, str]]:
        """Send an allowed request, and give the header lines that the application received."""
        answer = self.ask("GET /public/page", *lines)
        assert answer.status == 200, answer
        assert answer.json["says"] == APPLICATION_SAYS
        return [(name, value) for name, value in answer.json["headers"]]


@contextmanager
def site_behind_nginx(settings: Settings, listener: socket.socket) -> Iterator[ProtectedSite]:
    """Put nginx with our configuration between visitors and an application, until the end of the block."""
    port: int = listener.getsockname()[1]
    with answering(_show) as application:
        files = render(
            settings,
            site=HOST,
            application=f"http://127.0.0.1:{application.port}",
            listen=f"127.0.0.1:{port}",
        )
        with nginx_running(listener, files):
            yield ProtectedSite(port, application)


def portal_environment(data_dir: Path, listener: socket.socket, **more: str) -> dict[str, str]:
    """Give the environment of a gateway whose pages are on the portal's host behind the nginx of this listener."""
    return environment(
        data_dir,
        GATEWAY_PUBLIC_URL=f"http://{PORTAL}:{listener.getsockname()[1]}",
        GATEWAY_COOKIE_DOMAIN="example.com",
        **more,
    )


def settings_asking(port: int, environ: Mapping[str, str]) -> Settings:
    """Give settings whose gateway answers on this port."""
    return load_settings(None, (), {**environ, "GATEWAY_LISTEN": f"127.0.0.1:{port}"}).settings


def _show(received: Received) -> Reply:
    content = {
        "says": APPLICATION_SAYS,
        "target": received.target,
        "headers": received.headers,
        "body_length": len(received.body),
    }
    return Reply(200, (("Content-Type", "application/json"),), json.dumps(content).encode())
