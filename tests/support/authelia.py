"""Configurations that people have who come from Authelia, with our addresses in place of theirs."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gateway.demo.nginx import listen_on_loopback
from tests.support.background import in_background
from tests.support.gateway import ADMIN_EMAIL, ADMIN_PASSWORD, start_gateway
from tests.support.protected_site import RULES, ProtectedSite, log_in, portal_environment, show
from tests.support.stages import Stage
from tests.support.threaded_server import answering

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path


@contextmanager
def stage_of_authelia(
    run: Callable[[socket.socket, Mapping[str, str]], AbstractContextManager[object]],
    *,
    files: Mapping[str, Path],
    folder: Path,
) -> Iterator[Stage]:
    """Run a proxy on those files, with a real gateway."""
    rules = folder / "rules.yaml"
    rules.write_text(RULES)
    listener = listen_on_loopback(0)
    port: int = listener.getsockname()[1]
    environ = portal_environment(folder / "data", listener)
    with in_background(start_gateway(environ, config=rules)) as gateway, answering(show) as application:
        places = {
            "@GATEWAY@": urlsplit(gateway.url).netloc,
            "@APPLICATION@": f"127.0.0.1:{application.port}",
            "@LISTEN@": f"127.0.0.1:{port}",
        }
        with run(listener, {name: _filled(path.read_text(), places) for name, path in files.items()}):
            site = ProtectedSite(port, application)
            yield Stage(site, log_in(site, ADMIN_EMAIL, ADMIN_PASSWORD))


def _filled(text: str, places: Mapping[str, str]) -> str:
    for place, value in places.items():
        text = text.replace(place, value)
    return text
