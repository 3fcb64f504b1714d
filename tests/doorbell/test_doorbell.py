"""The doorbell over a real Redis, which is stopped, frozen, emptied and cut off as it pleases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
import structlog

from gateway.doorbell import listening
from gateway.doorbell.doorbell import Doorbell
from gateway.doorbell.ringing import CHANNEL
from gateway.redis_connection import open_redis
from tests.support.servers.redis import RedisServer, running_redis
from tests.support.servers.relay import Relay, running_relay
from tests.support.waiting import until


class Process:
    """What a gateway does with its doorbell."""

    def __init__(self, url: str) -> None:
        self.doorbell = Doorbell(url)
        self.heard: list[str] = []
        self.log_was_read = 0

    async def read_log(self) -> None:
        self.log_was_read += 1

    async def listen(self) -> None:
        await self.doorbell.listen(hear=self.heard.append, read_log=self.read_log)


@asynccontextmanager
async def _running(url: str) -> AsyncIterator[Process]:
    process = Process(url)
    works = [asyncio.create_task(work()) for work in (process.doorbell.send, process.listen)]
    try:
        yield process
    finally:
        for work in works:
            work.cancel()
        await asyncio.wait(works)
        await process.doorbell.close()


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


@pytest.fixture
async def redis(server: RedisServer) -> AsyncIterator[RedisServer]:
    """The server, running and awake at the beginning and at the end."""
    yield server
    server.thaw()


@pytest.fixture
async def relay(redis: RedisServer) -> AsyncIterator[Relay]:
    async with running_relay(redis.port) as relay:
        yield relay


@pytest.fixture
async def here(redis: RedisServer) -> AsyncIterator[Process]:
    async with _running(redis.url) as process:
        await until(lambda: process.doorbell.connected)
        yield process


@pytest.fixture
async def there(redis: RedisServer, relay: Relay, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Process]:
    """Another process, whose way to Redis a test may spoil."""
    monkeypatch.setattr(listening, "_HEARTBEAT", timedelta(milliseconds=200))
    monkeypatch.setattr(listening, "_DEADLINE", timedelta(milliseconds=500))
    async with _running(redis.url.replace(str(redis.port), str(relay.port))) as process:
        await until(lambda: process.doorbell.connected and process.log_was_read > 0)
        yield process
        await relay.pass_on()


async def test_others_hear_and_so_does_who_rang(here: Process, there: Process) -> None:
    here.doorbell.ring("session:1")
    await until(lambda: there.heard == here.heard == ["session:1"])


async def test_log_is_read_when_listening_begins(here: Process) -> None:
    assert here.log_was_read == 1


async def test_whatever_is_published_is_handed_on_as_text(here: Process, redis: RedisServer) -> None:
    """It is for the facts to say what they take for theirs."""
    stranger = open_redis(redis.url)
    for payload in (b"", b"\xff\x00", b"account:x"):
        await stranger.publish(CHANNEL, payload)
    await stranger.aclose()
    await until(lambda: len(here.heard) == 3)
    assert here.heard[-1] == "account:x"


@pytest.mark.parametrize("fault", ["cut", "refuse", "black_hole"])
async def test_lost_subscription_is_noticed_and_made_again_and_the_log_read(
    here: Process, there: Process, relay: Relay, fault: str
) -> None:
    with structlog.testing.capture_logs() as lines:
        reads = there.log_was_read
        await getattr(relay, fault)()
        await until(lambda: there.doorbell.lost_since is not None or there.log_was_read > reads, seconds=3)
        here.doorbell.ring("session:missed")
        await relay.pass_on()
        await until(lambda: there.doorbell.connected and there.log_was_read > reads, seconds=3)
        await until(lambda: there.doorbell.lost_since is None)
    here.doorbell.ring("session:2")
    await until(lambda: "session:2" in there.heard)
    assert [line["event"] for line in lines] in ([], ["doorbell_lost", "doorbell_connected_again"])


async def test_frozen_server_holds_up_nobody_who_rings(here: Process, redis: RedisServer) -> None:
    redis.freeze()
    async with asyncio.timeout(0.1):
        for number in range(5000):
            here.doorbell.ring(f"session:{number}")
        await asyncio.sleep(0)
    redis.thaw()


async def test_server_that_was_started_again_is_heard_again(
    redis: RedisServer, here: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "_LONGEST_PAUSE", timedelta(milliseconds=200))
    redis.stop()
    await until(lambda: not here.doorbell.connected)
    here.doorbell.ring("session:lost")
    redis.start()
    await until(lambda: here.doorbell.connected, seconds=3)
    assert here.log_was_read == 2
    here.doorbell.ring("session:2")
    await until(lambda: "session:2" in here.heard)


async def test_doorbell_that_was_never_there_is_logged_once_and_without_its_password() -> None:
    with structlog.testing.capture_logs() as lines:
        async with _running("redis://ada:c0rrect-h0rse@127.0.0.1:1/0") as process:
            process.doorbell.ring("session:1")
            await until(lambda: process.doorbell.lost_since is not None)
            await asyncio.sleep(0.3)
    assert [line["event"] for line in lines] == ["doorbell_lost"]
    assert "c0rrect" not in str(lines)


async def test_refused_password_is_logged_with_its_reason_and_nothing_else_happens() -> None:
    with running_redis("--requirepass", "right") as server, structlog.testing.capture_logs() as lines:
        async with _running(server.url.replace("redis://", "redis://:wr0ng@")) as process:
            await until(lambda: process.doorbell.lost_since is not None)
            assert not process.doorbell.connected
    assert "password" in lines[0]["error"].lower()
    assert "wr0ng" not in str(lines)
