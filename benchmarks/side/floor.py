"""The floor: a protocol that reads nothing of a request and writes always the same.

`python -m benchmarks.side.floor PORT FILE`; the file holds the answer.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path
from typing import cast

import uvloop


class Constant(asyncio.Protocol):
    """One connection. A request comes in one piece here: each piece is answered."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._write = cast("asyncio.Transport", transport).write

    def data_received(self, data: bytes) -> None:  # noqa: ARG002 - not looked at
        self._write(self._answer)


async def _serve(port: int, answer: bytes) -> None:
    listener = socket.create_server(("127.0.0.1", port), backlog=511)
    server = await asyncio.get_running_loop().create_server(lambda: Constant(answer), sock=listener)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), Path(sys.argv[2]).read_bytes()))
