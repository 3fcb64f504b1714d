"""Start the programs that the gateway is compared with, on the same core as the gateway."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.bench import Bench
from tests.support.servers.processes import ServerProcess, free_port

FLOOR = "floor"
BARE_AIOHTTP = "bare_aiohttp"


@contextmanager
def running_beside(bench: Bench, program: str, answer: bytes) -> Iterator[ServerProcess]:
    """Run one that gives an answer like this, until the end of the block."""
    folder = bench.own_folder(program)
    (folder / "answer").write_bytes(answer)
    port = free_port()
    arguments = [sys.executable, "-m", f"benchmarks.side.{program}", str(port), str(folder / "answer")]
    process = ServerProcess(arguments, port=port, log=folder / "log")
    try:
        with bench.on_program_core():
            process.start()
        yield process
    finally:
        process.stop()
