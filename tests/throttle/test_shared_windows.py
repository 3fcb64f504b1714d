"""Windows of several processes in one real Redis, and what becomes of them when it is not well."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import pytest
import redis
import structlog
from limits import RateLimitItemPerSecond
from limits.aio.strategies import MovingWindowRateLimiter

from gateway.throttle import shared_windows
from gateway.throttle.shared_windows import SharedWindows
from tests.support.servers.redis import RedisServer, running_redis
from tests.support.waiting import wait_until

_THREE = RateLimitItemPerSecond(3, 300, namespace="LOGIN")
_LONG, _DEADLINE = timedelta(seconds=2), shared_windows.DEADLINE
ADDRESS, OTHER = "198.51.100.7", "198.51.100.8"


@pytest.fixture(scope="module")
def well() -> Iterator[RedisServer]:
    """A Redis that nobody harms."""
    with running_redis() as server:
        yield server


@pytest.fixture
def server(well: RedisServer) -> RedisServer:
    """A Redis with nothing in it."""
    asked(well).flushall()
    return well


@pytest.fixture
def said() -> Iterator[Callable[[], list[str]]]:
    """Give the names of the lines that were logged."""
    with structlog.testing.capture_logs() as lines:
        yield lambda: [line["event"] for line in lines]


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Let a Redis that is well be well, however much else this machine does; gives what sets another deadline."""

    def wait_for(deadline: timedelta) -> None:
        monkeypatch.setattr(shared_windows, "DEADLINE", deadline)

    wait_for(_LONG)
    return wait_for


def asked(server: RedisServer) -> redis.Redis:
    return redis.Redis.from_url(server.url)


@asynccontextmanager
async def processes(*urls: str) -> AsyncIterator[list[MovingWindowRateLimiter]]:
    """Give what each of several processes counts with."""
    async with AsyncExitStack() as stack:
        storages = [SharedWindows(url) for url in urls]
        for storage in storages:
            stack.push_async_callback(storage.close)
        yield [MovingWindowRateLimiter(storage) for storage in storages]


async def remaining(windows: MovingWindowRateLimiter, address: str = ADDRESS) -> int:
    return (await windows.get_window_stats(_THREE, address)).remaining


async def hits(windows: MovingWindowRateLimiter, times: int, address: str = ADDRESS) -> list[bool]:
    return [await windows.hit(_THREE, address) for _ in range(times)]


async def test_processes_share_one_count(server: RedisServer) -> None:
    async with processes(server.url, server.url) as (one, two):
        assert await hits(one, 2) == [True, True]
        assert await remaining(two) == 1
        assert await hits(two, 2) == [True, False]
        assert await remaining(one) == 0
        assert await remaining(one, OTHER) == 3
        # In the process that counts by itself it is not over, and yet it is told how long to wait.
        assert (await one.get_window_stats(_THREE, ADDRESS)).reset_time == pytest.approx(
            (await two.get_window_stats(_THREE, ADDRESS)).reset_time, abs=1
        )


async def test_of_many_at_once_in_several_processes_as_many_count_as_may(server: RedisServer) -> None:
    async with processes(*[server.url] * 4) as all_four:
        counted = await asyncio.gather(*(windows.hit(_THREE, ADDRESS) for windows in all_four for _ in range(25)))
    assert counted.count(True) == 3


async def test_who_is_over_the_limit_here_makes_redis_no_work(server: RedisServer) -> None:
    async with processes(server.url) as (one,):
        await hits(one, 3)
        asked(server).config_resetstat()
        assert await hits(one, 5) == [False] * 5
        assert await remaining(one) == 0
    assert "cmdstat_evalsha" not in asked(server).info("commandstats")


async def test_who_starts_anew_does_so_everywhere(server: RedisServer) -> None:
    async with processes(server.url, server.url) as (one, two):
        await hits(one, 3)
        await one.clear(_THREE, ADDRESS)
        assert (await remaining(one), await remaining(two)) == (3, 3)


async def test_everything_in_redis_is_ours_by_name_and_goes_by_itself(server: RedisServer) -> None:
    async with processes(server.url) as (one,):
        await hits(one, 1)
        await hits(one, 1, "2001:db8::/64")
    client = asked(server)
    assert sorted(client.keys()) == [
        b"gateway:limits:LOGIN/198.51.100.7/3/300/second",
        b"gateway:limits:LOGIN/2001:db8::/64/3/300/second",
    ]
    assert all(0 < client.ttl(key) <= 300 for key in client.scan_iter())


async def test_least_that_an_access_list_has_to_allow(said: Callable[[], list[str]]) -> None:
    """As `docs/redis.md` says."""
    rules = "on >secret resetchannels &gateway:* ~gateway:* -@all +ping +publish +subscribe +unsubscribe"
    commands = "+evalsha +script|load +lindex +lpush +ltrim +expire +del"
    with running_redis("--user", "gateway", *rules.split(), *commands.split()) as server:
        async with processes(f"redis://gateway:secret@127.0.0.1:{server.port}/0") as (one,):
            await hits(one, 4)
            await one.clear(_THREE, ADDRESS)
            assert await remaining(one) == 3
    assert said() == []


async def test_scripts_that_redis_forgot_are_given_to_it_again(
    server: RedisServer, said: Callable[[], list[str]]
) -> None:
    async with processes(server.url, server.url) as (one, two):
        assert await hits(one, 1) == [True]
        asked(server).script_flush()
        assert await remaining(two) == 2
        assert await hits(two, 3) == [True, True, False]
    assert said() == []


async def test_flush_gives_no_process_a_fresh_allowance(server: RedisServer, said: Callable[[], list[str]]) -> None:
    async with processes(server.url, server.url) as (one, two):
        await hits(one, 2)
        assert await remaining(two) == 1
        asked(server).flushall()
        assert await remaining(one) == 1
        # The other one knew of it from Redis only.
        assert await remaining(two) == 3
        assert await hits(one, 2) == [True, False]
    assert said() == []


def slow_down(server: RedisServer) -> None:
    """Let it answer nobody who might write, as scripts might, for longer than anybody waits."""
    asked(server).client_pause(60_000, all=False)


def speed_up(server: RedisServer) -> None:
    asked(server).client_unpause()


def fill(server: RedisServer) -> None:
    asked(server).config_set("maxmemory", "1")


def grow(server: RedisServer) -> None:
    asked(server).config_set("maxmemory", "0")


def demote(server: RedisServer) -> None:
    asked(server).replicaof("127.0.0.1", "1")


def promote(server: RedisServer) -> None:
    asked(server).replicaof("NO", "ONE")


@pytest.mark.parametrize(
    ("harm", "heal"),
    [
        pytest.param(RedisServer.stop, RedisServer.start, id="stopped"),
        pytest.param(RedisServer.freeze, RedisServer.thaw, id="frozen"),
        pytest.param(slow_down, speed_up, id="slow"),
        pytest.param(fill, grow, id="full"),
        pytest.param(demote, promote, id="a replica"),
    ],
)
async def test_without_redis_each_process_goes_on_with_what_it_counted(
    harm: Callable[[RedisServer], None],
    heal: Callable[[RedisServer], None],
    said: Callable[[], list[str]],
    patience: Callable[[timedelta], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shared_windows, "_LOOK_AGAIN_AFTER", timedelta(milliseconds=50))
    with running_redis() as server:
        async with processes(server.url, server.url) as (one, two):
            await hits(one, 2)
            await asyncio.to_thread(harm, server)
            patience(_DEADLINE)
            async with asyncio.timeout(20):
                # Neither everything nor nothing is allowed, and what was counted before still counts.
                assert await hits(one, 3) == [True, False, False]
                assert await hits(two, 4) == [True, True, True, False]
                assert await remaining(one, OTHER) == 3
                await tried_in_vain(one)
            assert said() == ["redis_limits_lost"] * 2
            await asyncio.to_thread(heal, server)
            patience(_LONG)
            await wait_until(lambda: both_share(one, two), seconds=20)
            assert await remaining(one) == 0
    assert sorted(said()) == ["redis_limits_back"] * 2 + ["redis_limits_lost"] * 2


async def tried_in_vain(windows: MovingWindowRateLimiter) -> None:
    """Return when Redis has been tried in the background, and was not found well: it is tried once more."""
    assert isinstance(windows.storage, SharedWindows)
    begun = {windows.storage._next_trial}  # noqa: SLF001 - nothing else tells
    while len(begun) < 3:
        await remaining(windows, OTHER)
        await asyncio.sleep(0.01)
        begun.add(windows.storage._next_trial)  # noqa: SLF001


async def both_share(one: MovingWindowRateLimiter, two: MovingWindowRateLimiter) -> bool:
    """Tell whether a hit of the one is seen by the other, both ways."""
    for name, (first, second) in {"there": (one, two), "back": (two, one)}.items():
        await first.clear(_THREE, name)
        await first.hit(_THREE, name)
        if await remaining(second, name) != 2:
            return False
    return True


async def test_redis_that_never_was_there_is_not_missed(said: Callable[[], list[str]]) -> None:
    async with processes("redis://127.0.0.1:1/0") as (one,), asyncio.timeout(5):
        assert await hits(one, 4) == [True, True, True, False]
        assert await remaining(one, OTHER) == 3
    assert said() == ["redis_limits_lost"]


async def test_nobody_waits_twice_for_a_redis_that_is_frozen(
    said: Callable[[], list[str]], patience: Callable[[timedelta], None]
) -> None:
    patience(_DEADLINE)
    with running_redis() as server:
        async with processes(server.url) as (one,):
            await hits(one, 1)
            server.freeze()
            # Far more than connections: all of them wait together, and once.
            async with asyncio.timeout(10 * _DEADLINE.total_seconds()):
                counted = await asyncio.gather(*(one.hit(_THREE, f"{number}") for number in range(100)))
            assert counted == [True] * 100
            async with asyncio.timeout(_DEADLINE.total_seconds()):
                for number in range(100):
                    await one.hit(_THREE, f"{number}")
    assert said() == ["redis_limits_lost"]


@pytest.mark.parametrize("moment", ["99999999999", "1e308", "inf", "nan", "-1e308"])
async def test_strange_moments_keep_nobody_waiting_beyond_a_window(server: RedisServer, moment: str) -> None:
    """Another replica's clock may be wrong; and nothing that stands there may be an error of ours."""
    async with processes(server.url) as (windows,):
        await windows.hit(_THREE, ADDRESS)
        (key,) = asked(server).keys("gateway:limits:*")
        asked(server).delete(key)
        asked(server).rpush(key, *[moment] * 3)
        reset_in = (await windows.get_window_stats(_THREE, ADDRESS)).reset_time - time.time()
        assert 0 <= reset_in <= _THREE.get_expiry()
