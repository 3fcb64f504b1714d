"""A real nginx in a temporary folder, for as long as it is wanted."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.demo.errors import DemoFailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_INSTALL = "nginx is not installed. Install it (Debian, Ubuntu: `apt-get install nginx-light`), then start again."
# Where Debian puts it, for a PATH that has no sbin.
_USUAL_PLACES = "/usr/sbin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/bin"
_BACKLOG = 511  # nginx's own
_ERROR_LOG = "error.log"
_START_LOG = "start.log"
_LAST_LINES = 10

# Paths are relative to the folder.
_MAIN = f"""\
daemon off;
pid nginx.pid;
error_log {_ERROR_LOG};
worker_processes 1;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    include gateway.conf;
}}
"""


@dataclass(frozen=True, slots=True)
class RunningNginx:
    """An nginx that takes requests."""

    process: subprocess.Popen[bytes]
    folder: Path

    def last_words(self) -> str:
        """Give the end of its logs."""
        logs = [self.folder / name for name in (_ERROR_LOG, _START_LOG)]
        lines = [line for log in logs if log.exists() for line in log.read_text(errors="replace").splitlines()]
        return "\n".join(lines[-_LAST_LINES:])


def find_nginx() -> str:
    """Find the program; raise `DemoFailed` that says how to install it."""
    program = shutil.which("nginx") or shutil.which("nginx", path=_USUAL_PLACES)
    if program is None:
        raise DemoFailed(_INSTALL)
    return program


def listen_on_loopback(port: int) -> socket.socket:
    """Take a port of this machine for nginx (0: any free one); raise OSError when somebody else has it."""
    listener = socket.socket()
    try:
        # A port of a demo that has just ended is free, although its last connections still linger.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(_BACKLOG)
        # nginx takes an inherited socket as it is, and blocks on one that blocks.
        listener.setblocking(False)  # noqa: FBT003 - the name says it
    except BaseException:
        listener.close()
        raise
    return listener


@contextmanager
def nginx_running(listener: socket.socket, files: Mapping[str, str], *others: socket.socket) -> Iterator[RunningNginx]:
    """Run nginx on taken ports with these files beside its nginx.conf; it answers from the first moment on.

    Raises `DemoFailed` with nginx's own words for a configuration that it does not accept.
    """
    program = find_nginx()
    with ExitStack() as stack:
        listeners = [stack.enter_context(one) for one in (listener, *others)]
        name = stack.enter_context(tempfile.TemporaryDirectory(prefix="gateway-nginx-", ignore_cleanup_errors=True))
        folder = Path(name)
        # Started as root, nginx works as another user, who has to pass through here to its temporary folders.
        folder.chmod(0o711)
        _write(folder, {"nginx.conf": _MAIN, **files})
        command = [program, "-p", f"{folder}/", "-c", "nginx.conf"]
        _try_configuration(command)
        process = _start(command, listeners=listeners, folder=folder)
        # From here on the ports are nginx's alone: they are refused as soon as nginx ends.
        for one in listeners:
            one.close()
        try:
            yield RunningNginx(process, folder)
        finally:
            process.terminate()
            process.wait()


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


def _try_configuration(command: Sequence[str]) -> None:
    tried = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        message = f"nginx does not accept its configuration:\n{tried.stderr.strip()}"
        raise DemoFailed(message)


def _start(command: Sequence[str], *, listeners: Sequence[socket.socket], folder: Path) -> subprocess.Popen[bytes]:
    """Start nginx so that it takes over the listening sockets, and ends with us even if we are killed.

    The variable NGINX is nginx's own way to hand sockets to a new version of itself: nobody can take the port
    in between, and nobody has to try until it answers.
    """
    numbers = [listener.fileno() for listener in listeners]
    guard = shutil.which("setpriv")
    with (folder / _START_LOG).open("wb") as log:
        return subprocess.Popen(
            [*([guard, "--pdeathsig", "TERM", "--"] if guard else []), *command],
            env={**os.environ, "NGINX": "".join(f"{number};" for number in numbers)},
            pass_fds=numbers,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # Ctrl-C is for us: we end nginx after its last request, not the terminal in the middle of one.
            start_new_session=True,
        )
