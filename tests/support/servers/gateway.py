"""A gateway in processes of its own, to be killed, frozen and told to read its configuration anew."""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from signal import SIGCONT, SIGHUP, SIGKILL, SIGSTOP, SIGTERM, Signals

from tests.support.servers.processes import ServerProcess, children_of, free_port

_PROJECT = Path(__file__).parent.parent.parent.parent


class GatewayProcess(ServerProcess):
    """One `gateway serve` of this checkout, with nothing in its environment but what it is given."""

    def __init__(self, folder: Path, environ: Mapping[str, str], *arguments: str) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.log_file = folder / "gateway.log"
        variables = {"PATH": os.environ["PATH"], **environ, "GATEWAY_LISTEN": f"127.0.0.1:{port}"}
        words = [f"{name}={value}" for name, value in variables.items()]
        # `env -C`: the gateway of this checkout, whichever is installed.
        command = ["env", "-i", "-C", str(_PROJECT), *words, sys.executable, "-m", "gateway", "serve", *arguments]
        super().__init__(command, port=port, log=self.log_file)

    @property
    def workers(self) -> list[int]:
        """The processes that serve, by their ids."""
        return children_of(self.pid)

    def kill(self) -> None:
        """Let it die on the spot, every process of it, frozen: none hears of another's death, and none is replaced."""
        self.freeze()
        for worker in self.workers:
            _signal(worker, SIGKILL)
        super().stop(SIGKILL)

    def stop(self, number: Signals = SIGTERM) -> None:
        with suppress(AssertionError):
            self.thaw()
        super().stop(number)

    def freeze(self) -> None:
        for process in (self.pid, *self.workers):
            _signal(process, SIGSTOP)

    def thaw(self) -> None:
        for process in (self.pid, *self.workers):
            _signal(process, SIGCONT)

    def reload(self) -> None:
        os.kill(self.pid, SIGHUP)

    def _takes_connections(self) -> bool:
        """Tell whether it answers: while a worker is still starting, its socket takes connections already."""
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=1) as answer:  # noqa: S310 - our own address
                return bool(answer.status == HTTPStatus.OK)
        except (urllib.error.URLError, OSError):
            return False


def _signal(process: int, number: Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, number)
