from __future__ import annotations

import asyncio
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.support.servers.relay import Relay, running_relay

_LONG_SECONDS = 0.3


@asynccontextmanager
async def echo() -> AsyncIterator[int]:
    """Send back every line, until the block ends; gives the port."""

    async def answer(reader: StreamReader, writer: StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(line)
        except OSError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


class Visitor:
    """One connection through a relay."""

    def __init__(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def say(self, line: str) -> str:
        self._writer.write(f"{line}\n".encode())
        async with asyncio.timeout(5):
            return (await self._reader.readline()).decode().rstrip("\n")

    async def leave(self) -> None:
        self._writer.close()


@asynccontextmanager
async def relay_to_echo() -> AsyncIterator[Relay]:
    async with echo() as port, running_relay(port) as relay:
        yield relay


@asynccontextmanager
async def visit(relay: Relay) -> AsyncIterator[Visitor]:
    visitor = Visitor(*await asyncio.open_connection("127.0.0.1", relay.port))
    try:
        yield visitor
    finally:
        await visitor.leave()


async def test_it_passes_on_what_both_sides_say() -> None:
    async with relay_to_echo() as relay, visit(relay) as ada, visit(relay) as bob:
        assert [await ada.say("one"), await bob.say("two"), await ada.say("three")] == ["one", "two", "three"]


async def test_it_passes_on_an_end_after_everything_before_it() -> None:
    async with relay_to_echo() as relay:
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
        sent = b"many words\n" * 50_000
        writer.write(sent)
        writer.write_eof()
        assert await reader.read() == sent
        writer.close()


async def test_refusing_resets_who_is_connected_and_lets_nobody_in() -> None:
    async with relay_to_echo() as relay, visit(relay) as ada:
        await ada.say("hello")
        await relay.refuse()
        with pytest.raises(ConnectionResetError):
            await ada.say("still there?")
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", relay.port)
        await relay.pass_on()
        async with visit(relay) as bob:
            assert await bob.say("back") == "back"


async def test_a_cut_ends_every_connection_and_welcomes_new_ones() -> None:
    async with relay_to_echo() as relay, visit(relay) as ada:
        await ada.say("hello")
        await relay.cut()
        with pytest.raises(ConnectionResetError):
            await ada.say("still there?")
        async with visit(relay) as bob:
            assert await bob.say("hello") == "hello"


async def test_a_black_hole_takes_everything_and_gives_nothing_until_it_is_one_no_more() -> None:
    async with relay_to_echo() as relay, visit(relay) as ada:
        await ada.say("hello")
        await relay.black_hole()
        async with visit(relay) as bob:
            waiting = [asyncio.create_task(visitor.say("anybody?")) for visitor in (ada, bob)]
            done, _ = await asyncio.wait(waiting, timeout=_LONG_SECONDS)
            assert not done
            await relay.pass_on()
            assert await asyncio.gather(*waiting) == ["anybody?", "anybody?"]


async def test_a_cut_ends_what_is_in_the_black_hole() -> None:
    async with relay_to_echo() as relay, visit(relay) as ada:
        await relay.black_hole()
        waiting = asyncio.create_task(ada.say("anybody?"))
        await asyncio.sleep(0)
        await relay.cut()
        with pytest.raises(ConnectionResetError):
            await waiting


async def test_a_delay_holds_up_each_direction() -> None:
    async with relay_to_echo() as relay, visit(relay) as ada:
        await ada.say("hello")
        await relay.delay(0.1)
        started = time.monotonic()
        assert await ada.say("slow") == "slow"
        assert time.monotonic() - started >= 0.2
        await relay.pass_on()
        assert await ada.say("quick") == "quick"


async def test_a_server_that_is_not_there_ends_the_connection() -> None:
    async with echo() as port:
        pass
    async with running_relay(port) as relay, visit(relay) as ada:
        with pytest.raises(ConnectionResetError):
            await ada.say("anybody?")
