"""A real Traefik in a temporary folder, for as long as it is wanted."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.proxy_config.traefik import render
from tests.support.protected_site import HOST, PORTAL, ProtectedSite, show
from tests.support.raw_http import exchange, request_bytes
from tests.support.threaded_server import Received, Reply, answering

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gateway.config.settings import Settings

_LOG = "traefik.log"
_PATIENCE = 30.0
_PROBE = request_bytes("GET /healthz", f"Host: {PORTAL}", "Connection: close")

# systemd's socket activation: the variable with the program's own number can be set by itself only, and the socket
# has to be number 3. So nobody can take the port in between.
_TAKE_OVER = 'exec 3<&0 </dev/null; LISTEN_PID=$$ exec "$@"'


@contextmanager
def site_behind_traefik(
    settings: Settings, listener: socket.socket, *, application_answers: Callable[[Received], Reply] = show
) -> Iterator[ProtectedSite]:
    """Put Traefik with our configuration between visitors and an application, until the end of the block."""
    port: int = listener.getsockname()[1]
    with answering(application_answers) as application:
        files = render(
            settings,
            site=HOST,
            application=f"http://127.0.0.1:{application.port}",
            listen=f"127.0.0.1:{port}",
        )
        with traefik_running(listener, files):
            yield ProtectedSite(port, application)


@contextmanager
def traefik_running(
    listener: socket.socket, files: Mapping[str, str], *, certificate: Path | None = None
) -> Iterator[Path]:
    """Run Traefik on a taken port with these files; it knows its routes when the block begins. Gives its log.

    With a certificate visitors come by https.
    """
    port: int = listener.getsockname()[1]
    with listener, tempfile.TemporaryDirectory(prefix="gateway-traefik-") as name:
        folder = Path(name)
        for file, text in files.items():
            (folder / file).write_text(text.replace("/etc/traefik", name))
        process = _start(folder, listener=listener, entry_point="websecure" if certificate else "web")
        # From here on the port is Traefik's alone: it is refused as soon as Traefik ends.
        listener.close()
        try:
            _wait_for_routes(process, port=port, certificate=certificate, log=folder / _LOG)
            yield folder / _LOG
        finally:
            # When asked to end, it first waits two seconds for its visitors.
            process.kill()
            process.wait()


def _start(folder: Path, *, listener: socket.socket, entry_point: str) -> subprocess.Popen[bytes]:
    program = shutil.which("traefik", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))
    assert program, "Traefik is missing: make install"
    guard = shutil.which("setpriv")
    with (folder / _LOG).open("wb") as log:
        return subprocess.Popen(
            [
                *([guard, "--pdeathsig", "TERM", "--"] if guard else []),
                *("sh", "-c", _TAKE_OVER, "sh"),
                *(program, f"--configFile={folder / 'traefik.yml'}"),
            ],
            env={**os.environ, "LISTEN_FDS": "1", "LISTEN_FDNAMES": entry_point, "GOMAXPROCS": "1"},
            stdin=listener.fileno(),
            stdout=log,
            stderr=log,
        )


def _wait_for_routes(process: subprocess.Popen[bytes], *, port: int, certificate: Path | None, log: Path) -> None:
    """Traefik says nowhere when it has read its routes: until then everything is 404."""
    deadline = time.monotonic() + _PATIENCE
    while _status_of_portal(port, certificate) in {0, 404}:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.02)


def _status_of_portal(port: int, certificate: Path | None) -> int:
    if certificate is None:
        return exchange(port, _PROBE).status
    trust = ssl.create_default_context(cafile=certificate)
    with socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE) as plain:
        try:
            connection = trust.wrap_socket(plain, server_hostname=HOST)
        except ssl.SSLError:
            return 0  # so far it has a certificate of its own only
        with connection:
            connection.sendall(_PROBE)
            return int(connection.recv(12).split()[1])
