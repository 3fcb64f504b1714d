"""A proxy in front of an application that shows what reaches it, whichever proxy it is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gateway.config.loading import load_settings
from tests.support.gateway import environment
from tests.support.raw_http import RawAnswer, exchange, request_bytes
from tests.support.threaded_server import Received, Reply, ThreadedServer

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping
    from pathlib import Path

    from gateway.config.settings import Settings

HOST = "app.example.com"
PORTAL = "auth.example.com"
APPLICATION_SAYS = "the application was here"

BROWSER = "Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"
PROGRAM = "Accept: application/json"

# What is open to everybody, to show what reaches the application without a login; the rest wants one.
RULES = """\
access_control:
  default_policy: one_factor
  rules:
    - {domain: app.example.com, path: ["/public/**"], policy: bypass}
    - {domain: app.example.com, path: ["/closed"], policy: deny}
    - {domain: app.example.com, path: ["/vault"], policy: two_factor}
"""


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


@dataclass(frozen=True, slots=True)
class Visitor:
    """A session's cookie and access token."""

    cookie: str
    bearer: str

    @property
    def session_token(self) -> str:
        return self.cookie.partition("=")[2]


def log_in(site: ProtectedSite, email: str, password: str) -> Visitor:
    """Log in at the portal, through the proxy."""
    body = json.dumps({"email": email, "password": password}).encode()
    answer = site.ask("POST /api/auth/login", "Content-Type: application/json", body=body, host=PORTAL)
    assert answer.status == 200, answer
    cookies = [value for name, value in answer.headers if name.lower() == "set-cookie"]
    cookie = next(value.partition(";")[0] for value in cookies if value.startswith("gateway_session="))
    return Visitor(cookie, f"Authorization: Bearer {answer.json['token']}")


def portal_environment(data_dir: Path, listener: socket.socket, **more: str) -> dict[str, str]:
    """Give the environment of a gateway whose pages are on the portal's host behind the proxy of this listener."""
    return environment(
        data_dir,
        GATEWAY_PUBLIC_URL=f"http://{PORTAL}:{listener.getsockname()[1]}",
        GATEWAY_COOKIE_DOMAIN="example.com",
        **more,
    )


def settings_asking(gateway: int | str, environ: Mapping[str, str], *, config: Path | None = None) -> Settings:
    """Give settings whose gateway answers on this port, or at this URL."""
    port = urlsplit(gateway).port if isinstance(gateway, str) else gateway
    return load_settings(config, (), {**environ, "GATEWAY_LISTEN": f"127.0.0.1:{port}"}).settings


def values_of(headers: list[tuple[str, str]], name: str) -> list[str]:
    return [value for key, value in headers if key.lower() == name.lower()]


def show(received: Received) -> Reply:
    """Answer as the application: say what arrived."""
    content = {
        "says": APPLICATION_SAYS,
        "target": received.target,
        "headers": received.headers,
        "body_length": len(received.body),
    }
    return Reply(200, (("Content-Type", "application/json"),), json.dumps(content).encode())
