"""`gateway demo` in a process of its own, as `make run` starts it."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.commands import start_command

_ENDING = "Ctrl-C ends"


@dataclass(frozen=True, slots=True)
class Demo:
    """What the demo printed."""

    application: str
    portal: str
    administrator: str
    password: str
    process: asyncio.subprocess.Process


@asynccontextmanager
async def start_demo(folder: Path) -> AsyncIterator[Demo]:
    """Run the demo until the block ends; then Ctrl-C ends it, cleanly."""
    portal, application = free_port(), free_port()
    process = await start_command(
        "demo",
        "--port",
        str(application),
        environ={"GATEWAY_DATA_DIR": str(folder), "GATEWAY_LISTEN": f"127.0.0.1:{portal}"},
    )
    try:
        printed = await _read_greeting(process)
        yield Demo(
            application=f"http://localhost:{application}",
            portal=f"http://localhost:{portal}",
            administrator=printed["Administrator"],
            password=printed["Password"],
            process=process,
        )
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        _, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()


async def _read_greeting(process: asyncio.subprocess.Process) -> dict[str, str]:
    assert process.stdout is not None
    printed: dict[str, str] = {}
    async with asyncio.timeout(30):
        while not any(_ENDING in value for value in printed.values()):
            line = (await process.stdout.readline()).decode()
            assert line, "the demo ended before it was ready"
            name, _, value = line.strip().partition(": ")
            printed[name] = value or name
    return printed


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
