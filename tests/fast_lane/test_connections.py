"""What happens to a connection whose client hangs up, says no more, does not listen, or asks what takes time."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import cycle
from typing import cast
from urllib.parse import urlsplit

import pytest
from aiohttp.web import BaseRequest, StreamResponse

from gateway.fast_lane.connection import Connection
from gateway.web.protocol import Protocol
from tests.fast_lane.heads import check, page, stranger, with_more
from tests.support.gateway import Gateway
from tests.support.held_checks import HELD, HeldChecks
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("lane")

# Nobody needs more without reading a single answer; the kernel keeps some of it by itself.
MOST_UNREAD = 32 * 1024 * 1024
# What asyncio lets wait by itself, and one answer more.
MOST_WRITTEN = 80 * 1024
HELD_CHECK = with_more(stranger(), HELD.encode())
ATTEMPTS = 50
# What the kernel keeps on one side: by itself it takes megabytes before a transport has anything to wait for.
NARROW = 4096


@dataclass(frozen=True, slots=True)
class Client:
    """A socket in the loop of the gateway: after a few turns of it everything that was sent is read."""

    socket: socket.socket

    async def send(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.socket, data)
        await turns()

    async def statuses(self, number: int) -> list[int]:
        """Read so many answers, and give their statuses; nothing may come behind them yet."""
        unread, place, statuses = bytearray(), 0, list[int]()
        while len(statuses) < number:
            end = unread.find(b"\r\n\r\n", place)
            if end >= 0 and len(unread) >= (after := end + 4 + _length(unread[place:end])):
                statuses.append(int(unread[place:end].split(b" ", 2)[1]))
                place = after
                continue
            async with asyncio.timeout(10):
                data = await asyncio.get_running_loop().sock_recv(self.socket, 65536)
            assert data, f"{len(statuses)} answers came instead of {number}"
            unread += data
        assert place == len(unread), unread[place:]
        return statuses

    async def heads_until_the_end(self) -> list[bytes]:
        """Read all there is, and give the heads of the answers."""
        unread = b""
        async with asyncio.timeout(10):
            while data := await asyncio.get_running_loop().sock_recv(self.socket, 65536):
                unread += data
        return re.findall(rb"HTTP/1\.1 .*?\r\n\r\n", unread, re.DOTALL)

    async def ended(self) -> bool:
        """Whether nothing more comes; waits for the end."""
        async with asyncio.timeout(10):
            try:
                return await asyncio.get_running_loop().sock_recv(self.socket, 65536) == b""
            except ConnectionResetError:
                return True


def _length(head: bytearray) -> int:
    [line] = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return int(line.partition(b":")[2])


async def turns(number: int = 5) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


@asynccontextmanager
async def connected(gateway: Gateway, *, narrow: bool = False, source: str = "127.0.0.1") -> AsyncIterator[Client]:
    """Connect; a `narrow` client has little room for answers that it does not read."""
    address = urlsplit(gateway.url)
    with socket.socket() as one:
        one.settimeout(0)
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if narrow:
            for side in (socket.SO_RCVBUF, socket.SO_SNDBUF):
                one.setsockopt(socket.SOL_SOCKET, side, NARROW)
        one.bind((source, 0))
        await asyncio.get_running_loop().sock_connect(one, (address.hostname, address.port))
        yield Client(one)


async def known(gateway: Gateway) -> bytes:
    """Give a check by somebody who is logged in and known to this process."""
    cookie = (await gateway.session()).cookie
    assert (await gateway.check(Cookie=cookie)).status == 200
    return check().replace(b"@cookie@", cookie.encode())


async def test_quick_answer_waits_for_the_slow_one_before_it(gateway: Gateway, held_checks: HeldChecks) -> None:
    quick = await known(gateway)
    for pieces in ([HELD_CHECK + quick + HELD_CHECK + quick], [HELD_CHECK, quick, HELD_CHECK + quick]):
        held_checks.reached.clear()
        held_checks.go_on.clear()
        async with connected(gateway) as client:
            for piece in pieces:
                await client.send(piece)
            await held_checks.reached.wait()
            await turns()
            held_checks.go_on.set()
            assert await client.statuses(4) == [401, 200, 401, 200]


async def test_what_comes_while_a_check_takes_time_is_answered_after_it(
    gateway: Gateway, held_checks: HeldChecks
) -> None:
    quick = await known(gateway)
    number = 2000
    async with connected(gateway) as client:
        await client.send(HELD_CHECK)
        await held_checks.reached.wait()
        sending = asyncio.create_task(client.send((quick + page(b"/healthz")) * number))
        await turns()
        held_checks.go_on.set()
        statuses = await client.statuses(1 + 2 * number)
        assert (statuses[0], Counter(statuses[1:])) == (401, {200: 2 * number})
        await sending


@pytest.mark.parametrize("kind", ["known", "stranger", "another path"])
async def test_client_that_says_no_more_is_answered(gateway: Gateway, kind: str) -> None:
    asked = {"known": await known(gateway), "stranger": stranger(), "another path": page(b"/healthz")}[kind]
    async with connected(gateway) as client:
        client.socket.send(asked)
        client.socket.shutdown(socket.SHUT_WR)
        assert await client.statuses(1) == [401 if kind == "stranger" else 200]
        assert await client.ended()


async def test_what_came_behind_a_declined_upgrade_is_answered_to_who_says_no_more(gateway: Gateway) -> None:
    """It is read only once the request for the upgrade has its answer."""
    async with connected(gateway) as client:
        client.socket.send(page(b"/healthz", b"Connection: Upgrade", b"Upgrade: websocket") + page(b"/healthz"))
        client.socket.shutdown(socket.SHUT_WR)
        assert await client.statuses(2) == [200, 200]
        assert await client.ended()


async def test_client_that_says_no_more_as_soon_as_it_is_answered_is_let_go(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """N3: between an answer and the look for what comes next, the loop takes what has come."""
    finish_response = Protocol.finish_response

    async def finish(
        this: Protocol, request: BaseRequest, response: StreamResponse, start_time: float | None = None
    ) -> tuple[StreamResponse, bool]:
        outcome = await finish_response(this, request, response, start_time)
        # As the loop does.
        if not this.eof_received():
            cast("asyncio.Transport", this.transport).close()
        return outcome

    monkeypatch.setattr(Protocol, "finish_response", finish)
    async with connected(gateway) as client:
        await client.send(page(b"/healthz"))
        assert await client.statuses(1) == [200]
        assert await client.ended()


async def test_client_that_says_no_more_while_its_check_takes_time_is_answered(
    gateway: Gateway, held_checks: HeldChecks
) -> None:
    quick = await known(gateway)
    for after in (b"", quick, quick[:40]):
        held_checks.reached.clear()
        held_checks.go_on.clear()
        async with connected(gateway) as client:
            # Not with the first one: two heads at once are none of the fast lane's.
            await client.send(HELD_CHECK)
            await held_checks.reached.wait()
            await client.send(after)
            client.socket.shutdown(socket.SHUT_WR)
            await turns()
            held_checks.go_on.set()
            assert await client.statuses(2 if after == quick else 1) == [401, 200][: 2 if after == quick else 1]
            assert await client.ended()


async def test_last_answer_overtakes_none_of_those_before_it(gateway: Gateway, held_checks: HeldChecks) -> None:
    quick = await known(gateway)
    for later in range(ATTEMPTS):
        held_checks.reached.clear()
        held_checks.go_on.clear()
        async with connected(gateway) as client:
            await client.send(HELD_CHECK)
            await held_checks.reached.wait()
            await client.send(quick)
            held_checks.go_on.set()
            await turns(later)
            await client.send(with_more(quick, b"Connection: close"))
            heads = await client.heads_until_the_end()
            assert [b"\r\nConnection: close" in head for head in heads] == [False, False, True]


@pytest.mark.parametrize("hangs_up", ["closes", "resets"])
@pytest.mark.parametrize("after", ["half a head", "a check that takes time", "a check that takes time and more"])
async def test_client_that_hangs_up_leaves_nothing_behind(
    gateway: Gateway, held_checks: HeldChecks, capfd: pytest.CaptureFixture[str], after: str, hangs_up: str
) -> None:
    quick = await known(gateway)
    capfd.readouterr()
    before = asyncio.all_tasks()
    async with connected(gateway) as client:
        if hangs_up == "resets":
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if after == "half a head":
            await client.send(quick[:-20])
        else:
            await client.send(HELD_CHECK + (quick + page(b"/healthz") if after.endswith("more") else b""))
            await held_checks.reached.wait()
    await turns()
    held_checks.go_on.set()
    await until(lambda: asyncio.all_tasks() <= before, seconds=10)
    printed = capfd.readouterr()
    assert "error" not in printed.out + printed.err
    assert (await gateway.check()).status == 401


@pytest.mark.parametrize("kind", ["known", "stranger", "both"])
@pytest.mark.usefixtures("transports")
async def test_client_that_reads_no_answers_is_not_read_either(gateway: Gateway, kind: str) -> None:
    """N3: what is written and not taken is kept in memory."""
    quick = await known(gateway)
    asked, statuses = {
        "known": (quick, [200]),
        "stranger": (stranger(), [401]),
        "both": (quick + stranger(), [200, 401]),
    }[kind]
    async with connected(gateway, narrow=True) as client:
        sent = await _send_until_nobody_reads(client, asked)
        rest = -sent % len(asked)
        finishing = asyncio.create_task(client.send(asked[len(asked) - rest :] if rest else b""))
        number = (sent + rest) // len(asked)
        answered = await client.statuses(number * len(statuses))
        assert Counter(zip(answered, cycle(statuses), strict=False)) == {
            (status, status): number for status in statuses
        }
        await finishing


@pytest.mark.parametrize("ended_by", ["gateway", "client"])
async def test_end_of_a_connection_does_not_take_an_answer_with_it(
    gateway: Gateway, transports: list[asyncio.Transport], ended_by: str
) -> None:
    quick = await known(gateway)
    async with connected(gateway) as client:
        await client.send(quick)
        assert await client.statuses(1) == [200]
        await turns()
        # As where a gateway that ends looks at its connections in the turn in which a check comes; and as where the
        # loop hears of so many that it asks once more who says something, or says no more, before it goes on.
        connection = transports[-1].get_protocol()
        assert isinstance(connection, Connection | Protocol)
        connection.data_received(quick)
        while connection.owes_answer:
            await turns(1)
        if ended_by == "gateway":
            connection.force_close()
        elif not connection.eof_received():
            transports[-1].close()
        assert await client.statuses(1) == [200]
        assert await client.ended()


@pytest.mark.parametrize("asked", ["known", "stranger", "both"])
async def test_client_that_waits_and_reads_nothing_is_not_read_either(
    gateway: Gateway, transports: list[asyncio.Transport], asked: str
) -> None:
    """N3: one check after the other, each of which is answered before the next one."""
    quick = await known(gateway)
    rounds = {"known": [quick], "stranger": [stranger()], "both": [quick, stranger()]}[asked]
    async with connected(gateway, narrow=True) as client:
        number = 0
        for data in cycle(rounds):
            await client.send(data)
            await turns(15)
            number += 1
            if not transports[-1].is_reading():
                break
            assert transports[-1].get_write_buffer_size() < MOST_WRITTEN
        assert set(await client.statuses(number)) <= {200, 401}
        await client.send(quick)
        assert await client.statuses(1) == [200]


async def test_other_path_that_comes_while_answers_wait_is_answered_after_them(
    gateway: Gateway,
    transports: list[asyncio.Transport],
    held_checks: HeldChecks,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    quick = await known(gateway)
    async with connected(gateway, narrow=True) as client:
        number = 0
        while not number or transports[-1].get_write_buffer_size() == 0:
            await client.send(quick)
            number += 1
        await client.send(HELD_CHECK)
        await held_checks.reached.wait()
        await client.send(page(b"/healthz"))
        # The next answer is the one that is too much.
        transports[-1].set_write_buffer_limits(high=transports[-1].get_write_buffer_size() + 1)
        held_checks.go_on.set()
        await turns(20)
        assert await client.statuses(number + 2) == [200] * number + [401, 200]
        await client.send(quick)
        assert await client.statuses(1) == [200]
    printed = capfd.readouterr()
    assert "error" not in printed.out + printed.err
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


@pytest.fixture
def transports(monkeypatch: pytest.MonkeyPatch) -> list[asyncio.Transport]:
    """The gateway's side of every connection, as narrow as the client's, the last one last."""
    made: list[asyncio.Transport] = []
    for protocol in (Connection, Protocol):

        def note(
            this: asyncio.Protocol,
            transport: asyncio.BaseTransport,
            connection_made: Callable[..., None] = protocol.connection_made,
        ) -> None:
            made.append(cast("asyncio.Transport", transport))
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, NARROW)
            connection_made(this, transport)

        monkeypatch.setattr(protocol, "connection_made", note)
    return made


async def _send_until_nobody_reads(client: Client, data: bytes) -> int:
    """Send it again and again; give how many bytes were taken when no turn of the loop takes any more."""
    sent = idle = 0
    while idle < ATTEMPTS and sent < MOST_UNREAD:
        with suppress(BlockingIOError):
            sent += client.socket.send(data[sent % len(data) :])
            idle = 0
        idle += 1
        await turns(2)
    return sent
