"""The command line, in processes of its own."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.gateway import Gateway

_GATEWAY = (sys.executable, "-m", "gateway")


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
    finished = await run_gateway(*arguments, environ=environ, stdin=stdin)
    assert finished.code == 0, finished.err
    return finished


async def run_gateway(*arguments: str, environ: Mapping[str, str], stdin: str = "") -> Finished:
    """Run a command with nothing in its environment but this."""
    process = await start_command(*arguments, environ=environ)
    out, err = await process.communicate(stdin.encode())
    return Finished(process.returncode or 0, out.decode(), err.decode())


async def start_command(*arguments: str, environ: Mapping[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *_GATEWAY,
        *arguments,
        env={"PATH": os.environ["PATH"], **environ},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
