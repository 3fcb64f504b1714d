"""The end of a gateway that proxies keep asking: who may ask once more is told that it is the last time."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.config.loading import load_settings
from gateway.config.secrets import load_secrets
from gateway.listening import bound_sockets, url_of
from gateway.preparation import prepare
from gateway.serving import answering
from gateway.storage.database import Database
from tests.fast_lane.heads import head, page, stranger, with_more
from tests.support.gateway import environment
from tests.support.held_checks import HELD, HeldChecks
from tests.support.kept_connection import KeptConnection
from tests.support.lanes import Lane
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("lane")

RULES = """
access_control:
  rules:
    - {domain: app.example.com, path: ["/public/**"], policy: bypass}
    - {domain: app.example.com, policy: one_factor}
"""
# Known at once, without anybody who has logged in.
OPEN = head(
    b"GET /api/authz/auth-request HTTP/1.1",
    b"Host: a",
    b"X-Original-URL: http://app.example.com/public/x",
    b"X-Original-Method: GET",
)
LAST = b"Connection: close"
LONG = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Ending:
    """A gateway that a test ends, while its connections are looked at."""

    url: str
    _stack: AsyncExitStack

    @asynccontextmanager
    async def begun(self, kept: KeptConnection) -> AsyncIterator[None]:
        """End it; the body begins when nobody is accepted any more, and the gateway has ended after the body."""
        ending = asyncio.create_task(self._stack.aclose())
        try:
            await kept.until_refused()
            yield
        finally:
            # Whatever the body missed, what is still open ends with its clients.
            kept.writer.close()
            async with asyncio.timeout(10):
                await ending


@asynccontextmanager
async def _ending(folder: Path, *, linger: timedelta) -> AsyncIterator[Ending]:
    config = folder / "gateway.yaml"
    config.write_text(RULES)
    settings = load_settings(config, (), environment(folder / "data")).settings
    secrets = load_secrets(settings)
    async with Database.opened(settings.database) as database, AsyncExitStack() as stack:
        await prepare(settings, secrets, database)
        listeners = await stack.enter_async_context(answering(settings, secrets, database, linger=linger))
        with bound_sockets(settings.listen, 1) as (sockets,):
            await listeners.open(sockets)
            url = url_of(sockets)
        yield Ending(url, stack)


@pytest.mark.parametrize(("asked", "status"), [(OPEN, b"200"), (stranger(), b"401"), (page(b"/healthz"), b"200")])
async def test_kept_connection_may_ask_once_more_and_is_told(tmp_path: Path, asked: bytes, status: bytes) -> None:
    async with _ending(tmp_path, linger=LONG) as gateway, KeptConnection.open(gateway.url) as kept:
        for _ in range(2):
            assert LAST not in await kept.ask(OPEN)
        async with gateway.begun(kept):
            answer = await kept.ask(asked)
            assert answer.startswith(b"HTTP/1.1 " + status)
            assert LAST in answer
            assert await kept.is_closed()


async def test_connection_that_asked_nothing_yet_may_ask_once(tmp_path: Path) -> None:
    async with (
        _ending(tmp_path, linger=LONG) as gateway,
        KeptConnection.open(gateway.url) as kept,
        KeptConnection.open(gateway.url) as other,
    ):
        await other.ask(OPEN)
        async with gateway.begun(other):
            assert LAST in await kept.ask(OPEN)
            assert LAST in await other.ask(OPEN)


async def test_idle_connections_hold_up_no_end(tmp_path: Path) -> None:
    async with _ending(tmp_path, linger=timedelta(0)) as gateway, KeptConnection.open(gateway.url) as kept:
        await kept.ask(OPEN)
        async with gateway.begun(kept):
            assert await kept.is_closed()


@pytest.mark.parametrize("linger", [timedelta(0), LONG])
async def test_check_that_takes_time_is_answered(tmp_path: Path, held_checks: HeldChecks, linger: timedelta) -> None:
    async with _ending(tmp_path, linger=linger) as gateway, KeptConnection.open(gateway.url) as kept:
        await kept.ask(OPEN)
        kept.writer.write(with_more(stranger(), HELD.encode()))
        await held_checks.reached.wait()
        async with gateway.begun(kept):
            held_checks.go_on.set()
            answer = await kept.answer()
            assert answer.startswith(b"HTTP/1.1 401")
            if LAST not in answer:
                assert linger
                assert LAST in await kept.ask(OPEN)
            assert await kept.is_closed()


async def test_what_waits_behind_a_check_is_answered_before_the_end(
    tmp_path: Path, held_checks: HeldChecks, lane: Lane
) -> None:
    async with _ending(tmp_path, linger=LONG) as gateway, KeptConnection.open(gateway.url) as kept:
        await kept.ask(OPEN)
        kept.writer.write(with_more(stranger(), HELD.encode()))
        await held_checks.reached.wait()
        kept.writer.write(OPEN)
        async with gateway.begun(kept):
            held_checks.go_on.set()
            answer = await kept.answer()
            assert answer.startswith(b"HTTP/1.1 401")
            # aiohttp says with the first answer that it was the last: what came behind it is to be asked elsewhere.
            assert (LAST in answer) is (lane is Lane.SLOW)
            if lane is Lane.FAST:
                assert LAST in await kept.answer()
            assert await kept.is_closed()


async def test_gateway_that_fails_leaves_no_task_behind(tmp_path: Path) -> None:
    before = asyncio.all_tasks()
    with pytest.raises(ZeroDivisionError):
        async with _ending(tmp_path, linger=timedelta(0)):
            raise ZeroDivisionError
    await until(lambda: asyncio.all_tasks() <= before, seconds=5)


async def test_head_that_has_begun_is_answered(tmp_path: Path) -> None:
    async with _ending(tmp_path, linger=LONG) as gateway, KeptConnection.open(gateway.url) as kept:
        await kept.ask(OPEN)
        kept.writer.write(OPEN[:30])
        await kept.writer.drain()
        async with gateway.begun(kept):
            kept.writer.write(OPEN[30:])
            answer = await kept.answer()
            assert answer.startswith(b"HTTP/1.1 200")
            if LAST not in answer:
                assert LAST in await kept.ask(OPEN)
            assert await kept.is_closed()


async def test_check_whose_client_has_gone_ends_before_the_gateway_does(
    tmp_path: Path, held_checks: HeldChecks, lane: Lane
) -> None:
    """What it reads from is not to be closed under it; aiohttp looks after its own."""
    if lane is Lane.SLOW:
        held_checks.go_on.set()
    async with AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(_ending(tmp_path, linger=timedelta(0)))
        async with KeptConnection.open(gateway.url) as kept:
            kept.writer.write(with_more(stranger(), HELD.encode()))
            await held_checks.reached.wait()
            # A client that only says no more is waited for anyway.
            kept.writer.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            kept.writer.transport.abort()
        ending = asyncio.create_task(stack.aclose())
        ended, _ = await asyncio.wait({ending}, timeout=1)
        assert bool(ended) is (lane is Lane.SLOW)
        held_checks.go_on.set()
        await ending
