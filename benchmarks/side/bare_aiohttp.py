"""The least that an aiohttp program can do: one handler, no application and no routes around it.

`python -m benchmarks.side.bare_aiohttp PORT FILE`; the file holds an answer.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop
from aiohttp import web
from multidict import CIMultiDict

from benchmarks.side.answers import headers_of


def constant_handler(answer: bytes) -> Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]:
    """Give a handler that answers with the headers of that answer."""
    headers = headers_of(answer)

    async def handle(_request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(headers=CIMultiDict(headers))

    return handle


async def _serve(port: int, answer: bytes) -> None:
    server = web.Server(constant_handler(answer), access_log=None)
    listening = await asyncio.get_running_loop().create_server(server, "127.0.0.1", port, backlog=511)
    await listening.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), Path(sys.argv[2]).read_bytes()))
