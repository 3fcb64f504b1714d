"""A TCP relay before a real server: what a network does between two machines, done on purpose."""

from __future__ import annotations

import asyncio
import socket
import struct
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

_CHUNK_BYTES = 64 * 1024
# To linger for no time is to reset: the other side reads an error, and not an end.
_RESET = struct.pack("ii", 1, 0)


class Relay:
    """Stands at `port` for the server at another one, and passes on what comes until it is told otherwise.

    Each method replaces what was told before, save `cut`, which is over as soon as it is done.
    """

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._moves = asyncio.Event()
        self._moves.set()
        self._delay_seconds = 0.0
        self._listening: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        # Bound for good and never listening: nobody gets the port while connections to it are refused.
        self._place = _bound_to(0)
        self.port = int(self._place.getsockname()[1])

    async def pass_on(self) -> None:
        """Be a wire. What waited in a black hole arrives late, as it does when a network heals."""
        self._delay_seconds = 0
        await self._listen()
        self._moves.set()

    async def delay(self, seconds: float) -> None:
        """Hold up what is sent in each direction, by at most twice this when much is sent at once."""
        await self.pass_on()
        self._delay_seconds = seconds

    async def black_hole(self) -> None:
        """Take connections and bytes, and let nothing happen: nobody is told that anything is wrong."""
        await self._listen()
        self._moves.clear()

    async def refuse(self) -> None:
        """Be a machine on which nobody listens; who was connected is reset."""
        if self._listening is not None:
            self._listening.close()
            self._listening = None
        self._moves.set()
        await self.cut()

    async def cut(self) -> None:
        """Reset every connection there is; new ones are welcome."""
        # What has just been taken has begun by then, and can clean up after itself.
        await asyncio.sleep(0)
        connections = list(self._connections)
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def close(self) -> None:
        await self.refuse()
        self._place.close()

    async def _listen(self) -> None:
        if self._listening is None:
            self._listening = await asyncio.start_server(self._take, sock=_bound_to(self.port))

    def _take(self, reader: StreamReader, writer: StreamWriter) -> None:
        connection = asyncio.create_task(self._carry(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _carry(self, from_client: StreamReader, to_client: StreamWriter) -> None:
        writers = [to_client]
        end: Callable[[StreamWriter], None] = _reset
        try:
            await self._moves.wait()
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self._server_port)
            writers.append(to_server)
            async with asyncio.TaskGroup() as directions:
                directions.create_task(self._pump(from_client, to_server))
                directions.create_task(self._pump(from_server, to_client))
            end = StreamWriter.close
        except* OSError:
            pass
        finally:
            for writer in writers:
                end(writer)

    async def _pump(self, reader: StreamReader, writer: StreamWriter) -> None:
        while data := await reader.read(_CHUNK_BYTES):
            if self._delay_seconds:
                await asyncio.sleep(self._delay_seconds)
            await self._moves.wait()
            writer.write(data)
            await writer.drain()
        await self._moves.wait()
        writer.write_eof()


def _reset(writer: StreamWriter) -> None:
    """End one connection; what has ended by itself is left."""
    connection: socket.socket = writer.get_extra_info("socket")
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()


def _bound_to(port: int) -> socket.socket:
    place = socket.socket()
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    place.bind(("127.0.0.1", port))
    return place


@asynccontextmanager
async def running_relay(server_port: int) -> AsyncIterator[Relay]:
    """Relay to that port of this machine until the block ends."""
    relay = Relay(server_port)
    try:
        await relay.pass_on()
        yield relay
    finally:
        await relay.close()
