"""The command line, in processes of its own."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.support.forked_command import PRELOADED, be_the_command
from tests.support.gateway import DATABASE, Gateway

_GATEWAY = (sys.executable, "-m", "gateway")
# To import everything takes a second, to fork a process that has done it some milliseconds.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(PRELOADED)
_LISTENS = "Gateway listens on "


@dataclass(frozen=True, slots=True)
class Finished:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - what the command printed
        return json.loads(self.out)


async def run_command(gateway: Gateway, *arguments: str, stdin: str = "") -> Finished:
    """Run a command beside a running gateway; it must succeed."""
    environ = {"GATEWAY_DATA_DIR": str(gateway.settings.data_dir), "GATEWAY_PUBLIC_URL": gateway.settings.public_url}
    finished = await run_gateway(*arguments, environ=environ | DATABASE, stdin=stdin)
    assert finished.code == 0, finished.err
    return finished


async def run_gateway(*arguments: str, environ: Mapping[str, str], stdin: str = "") -> Finished:
    """Run a command with nothing in its environment but this."""
    with TemporaryDirectory(prefix="gateway-command-") as folder:
        streams = Path(folder)
        for name, text in (("in", stdin), ("out", ""), ("err", "")):
            (streams / name).write_text(text)
        process = fork_command(*arguments, environ=environ, streams=streams)
        await asyncio.to_thread(process.join)
        return Finished(process.exitcode or 0, (streams / "out").read_text(), (streams / "err").read_text())


def fork_command(*arguments: str, environ: Mapping[str, str], streams: Path) -> BaseProcess:
    """Start a command with nothing in its environment but this; `in`, `out` and `err` of the folder are its streams."""
    whole = {"PATH": os.environ["PATH"], **environ}
    process = FORKS.Process(target=be_the_command, args=(arguments, whole, streams))
    process.start()
    return process


async def start_command(*arguments: str, environ: Mapping[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *_GATEWAY,
        *arguments,
        env={"PATH": os.environ["PATH"], **environ},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@asynccontextmanager
async def serving_process(*arguments: str, environ: Mapping[str, str]) -> AsyncIterator[str]:
    """Run a gateway in a process of its own until the block ends; gives the address that it says it listens on."""
    process = await start_command(*arguments, environ=environ)
    assert process.stdout is not None
    try:
        line = (await process.stdout.readline()).decode()
        assert line.startswith(_LISTENS), line
        yield line.removeprefix(_LISTENS).strip()
    finally:
        process.terminate()
        await process.communicate()
