"""What all servers have in common: a free port, a folder, a process that is stopped, frozen or killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_PATIENCE_SECONDS = 20
_BETWEEN_LOOKS_SECONDS = 0.02


def free_port() -> int:
    """Give a port that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class ServerProcess:
    """One program that listens on a port; `user` is whom root starts it as."""

    def __init__(self, arguments: list[str], *, port: int, log: Path, user: str | None = None) -> None:
        self.port = port
        self._arguments = arguments
        self._log = log
        self._user = user if os.geteuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self, *, ready: Callable[[], bool] | None = None) -> None:
        """Start, and wait until it answers (without `ready`: until it takes connections)."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self._user,
                cwd=self._log.parent,
                # Ctrl-C ends the test first, and the test ends its servers.
                start_new_session=True,
            )
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not (ready or self._takes_connections)():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(self._log.read_text(errors="replace")[-2000:])
            time.sleep(_BETWEEN_LOOKS_SECONDS)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it and wait for that; what has ended already is left."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(number)
            # One that was frozen hears nothing else.
            process.send_signal(signal.SIGCONT)
        process.wait(_PATIENCE_SECONDS)

    def freeze(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def _takes_connections(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False
