"""A connection that a client keeps open, as proxies do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from tests.support.gateway import ADMIN_EMAIL

_BODY = f'{{"email": "{ADMIN_EMAIL}", "password": "not hers"}}'.encode()
_ALIVE = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
_LOGIN = (
    b"POST /api/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    % len(_BODY)
)


@dataclass(frozen=True, slots=True)
class KeptConnection:
    """It asks whether the gateway is alive or what a test wants to know, or logs in with a wrong password, slowly."""

    host: str
    port: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str) -> AsyncIterator[Self]:
        address = urlsplit(url)
        assert address.hostname is not None
        assert address.port is not None
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        try:
            yield cls(address.hostname, address.port, reader, writer)
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def ask(self, request: bytes = _ALIVE) -> bytes:
        """Give the whole answer."""
        self.writer.write(request)
        return await self.answer()

    async def begin(self) -> None:
        """Send the first half of a login; what it asked before and was answered tells that it is served."""
        await self.ask()
        self.writer.write(_LOGIN + _BODY[:10])
        await self.writer.drain()

    async def finish(self) -> bytes:
        """Send the other half, and give the whole answer."""
        self.writer.write(_BODY[10:])
        return await self.answer()

    async def until_refused(self) -> None:
        """Return when the gateway accepts nobody else any more."""
        async with asyncio.timeout(10):
            while True:
                try:
                    _, writer = await asyncio.open_connection(self.host, self.port)
                except (ConnectionRefusedError, ConnectionResetError):
                    return
                writer.close()
                await writer.wait_closed()
                await asyncio.sleep(0.01)

    async def is_closed(self) -> bool:
        """Whether nothing more comes; waits for the end."""
        try:
            return await self.reader.read() == b""
        except ConnectionResetError:
            return True

    async def answer(self) -> bytes:
        """Wait for the next answer, and give all of it."""
        async with asyncio.timeout(10):
            head = await self.reader.readuntil(b"\r\n\r\n")
            lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            return head + await self.reader.readexactly(int(lengths[0].partition(b":")[2]))
