"""An nginx that says 200 without looking: as the one who is asked by another nginx, and as its application."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from benchmarks.bench import Bench
from benchmarks.side.answers import headers_of
from gateway.demo.nginx import listen_on_loopback, nginx_running

# Kept connections end after 1,000 requests by default.
_SERVER = """\
server {{
    listen 127.0.0.1:{port};
    keepalive_requests 100000000;
    location / {{
{headers}        return 200;
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class ConstantNginx:
    pid: int
    check_port: int
    application_port: int


@contextmanager
def constant_nginx(bench: Bench, answer: bytes) -> Iterator[ConstantNginx]:
    """Run one on the program's core; checks are answered with the headers of that answer."""
    listeners = listen_on_loopback(0), listen_on_loopback(0)
    check, application = (one.getsockname()[1] for one in listeners)
    lines = "".join(f"        add_header {name} {_quoted(value)};\n" for name, value in headers_of(answer))
    servers = _SERVER.format(port=check, headers=lines) + _SERVER.format(port=application, headers="")
    with ExitStack() as stack:
        with bench.on_program_core():
            running = stack.enter_context(nginx_running(listeners[0], {"gateway.conf": servers}, listeners[1]))
        yield ConstantNginx(running.process.pid, check, application)


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
