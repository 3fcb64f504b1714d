"""wrk as the load: 32 kept connections that ask as fast as they are answered."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bench import Bench, Measured, Missing, Unusable
from benchmarks.checks import PACE, Checks

CONNECTIONS = 32
_SCRIPT = Path(__file__).with_name("rotate.lua")
_COUNTED = re.compile(r"^COUNTED (\d+) (\d+) (\d+) (\d+)$", re.MULTILINE)
_INSTALL = "wrk is not installed. Install it (Debian, Ubuntu: `apt-get install wrk`), then start again."


@dataclass(frozen=True, slots=True)
class Loaded:
    """A program that listens on a port of this machine, the checks it is asked, and what tells its processor time."""

    bench: Bench
    port: int
    checks: Checks
    cpu_seconds: Callable[[], float]
    folder: Path

    @classmethod
    def by(cls, bench: Bench, checks: Checks, *, port: int, cpu_seconds: Callable[[], float]) -> Loaded:
        """Write down for wrk what it is to ask."""
        folder = bench.own_folder("wrk")
        for name, parts in (("places", checks.places), ("credentials", checks.credentials)):
            (folder / name).write_bytes("".join(f"{part}\0" for part in parts).encode())
        (folder / "middle").write_bytes(checks.middle.encode())
        (folder / "end").write_bytes(checks.end.encode())
        return cls(bench, port, checks, cpu_seconds, folder)

    def warm_up(self) -> None:
        """Ask with every credential and for every place once. Raises `Unusable` unless each answer is 200."""
        with socket.create_connection(("127.0.0.1", self.port)) as connection, connection.makefile("rb") as answers:
            for number in range(max(len(self.checks.credentials), len(self.checks.places))):
                connection.sendall(self.checks.request(number))
                _require_ok(next(head := iter_head(answers.readline)))
                for _ in head:
                    pass

    def one_answer(self) -> bytes:
        """Give an answer as it is written, to the last byte."""
        with socket.create_connection(("127.0.0.1", self.port)) as connection, connection.makefile("rb") as answers:
            connection.sendall(self.checks.request(0))
            return b"".join(iter_head(answers.readline))

    def measure(self, seconds: int, *, round_number: int) -> Measured:
        """Load it for so long. Raises `Unusable` when anything but 200 was answered."""
        command = [find_wrk(), "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s", "-s", str(_SCRIPT)]
        # Each round begins elsewhere: far enough from where the last one can have come to.
        arguments = [str(self.folder), str(round_number * 1_234_577), str(PACE)]
        with self.bench.on_load_core():
            before = self.cpu_seconds()
            ran = subprocess.run(
                [*command, f"http://127.0.0.1:{self.port}/", "--", *arguments],
                capture_output=True,
                text=True,
                check=False,
            )
            spent = self.cpu_seconds() - before
        counted = _COUNTED.search(ran.stdout)
        if counted is None:
            message = f"wrk counted nothing:\n{ran.stdout}{ran.stderr}"
            raise Unusable(message)
        answers, microseconds, refused, broken = map(int, counted.groups())
        if refused or broken or not answers:
            message = f"{refused} of {answers} checks were not answered 200, and {broken} not at all"
            raise Unusable(message)
        return Measured(answers, microseconds / 1e6, spent)


def find_wrk() -> str:
    program = shutil.which("wrk")
    if program is None:
        raise Missing(_INSTALL)
    return program


def _require_ok(status_line: bytes) -> None:
    if not status_line.startswith(b"HTTP/1.1 200 "):
        message = f"a check was answered {status_line.decode(errors='replace').strip() or 'by nothing'}"
        raise Unusable(message)


def iter_head(readline: Callable[[], bytes]) -> Iterator[bytes]:
    """Give the lines of an answer that has no body, its empty one included."""
    while line := readline():
        yield line
        if line == b"\r\n":
            return
