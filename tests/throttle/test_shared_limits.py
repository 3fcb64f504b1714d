"""The limits of addresses in several gateways with one Redis, over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import pytest

from gateway.throttle import shared_windows
from tests.support.gateway import ADMIN_PASSWORD, Gateway, environment, start_gateway
from tests.support.servers.redis import RedisServer, running_redis
from tests.support.throttled import STRANGER, fail_often, rows, try_password
from tests.support.waiting import wait_until

_UNAUTHORIZED, _TOO_MANY = HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS
OTHER = "198.51.100.8"


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a Redis that is well be well, however much else this machine does."""
    monkeypatch.setattr(shared_windows, "DEADLINE", timedelta(seconds=10))


@pytest.fixture
async def two(tmp_path: Path, redis_server: RedisServer) -> AsyncIterator[tuple[Gateway, Gateway]]:
    """Run two gateways over one store, whose addresses may fail three times."""
    environ = environment(tmp_path, LOGIN_MAX="3", REDIS_URL=redis_server.url)
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(start_gateway(environ))
        yield one, await stack.enter_async_context(start_gateway(environ))


async def fail_at_many_accounts(gateway: Gateway, times: int, *, begin: int = 0) -> list[int]:
    """Fail so often from one address, once for each account: accounts do not pause."""
    names = (f"person{begin + number}@example.com" for number in range(times))
    return [(await try_password(gateway, email=name)).status for name in names]


async def is_banned(gateway: Gateway) -> bool:
    return rows(gateway, "SELECT address FROM banned_addresses") == [(STRANGER,)]


@pytest.mark.usefixtures("patient")
async def test_wrong_passwords_count_in_all_gateways_together(two: tuple[Gateway, Gateway]) -> None:
    one, other = two
    assert await fail_at_many_accounts(one, 2) == [_UNAUTHORIZED] * 2
    assert await fail_at_many_accounts(other, 2, begin=2) == [_UNAUTHORIZED, _TOO_MANY]
    refused = await try_password(one, ADMIN_PASSWORD)
    assert refused.status == _TOO_MANY
    assert 290 <= int(refused.headers["Retry-After"]) <= 300
    assert (await try_password(one, ADMIN_PASSWORD, address=OTHER)).status == HTTPStatus.OK


@pytest.mark.usefixtures("patient")
async def test_violations_in_all_gateways_ban_together(two: tuple[Gateway, Gateway]) -> None:
    one, _ = two
    await fail_often(one, 3)
    for gateway in two:
        assert set(await fail_often(gateway, 10)) == {_TOO_MANY}
    await wait_until(lambda: is_banned(one), seconds=10)


@pytest.mark.parametrize("harm", [RedisServer.stop, RedisServer.freeze])
async def test_logins_checks_and_limits_go_on_without_redis(
    two: tuple[Gateway, Gateway], redis_server: RedisServer, harm: Callable[[RedisServer], None]
) -> None:
    one, other = two
    session = await one.session()
    assert await fail_at_many_accounts(one, 2) == [_UNAUTHORIZED] * 2
    await asyncio.to_thread(harm, redis_server)
    async with asyncio.timeout(10):
        assert (await one.check(Cookie=session.cookie)).status == HTTPStatus.OK
        assert (await try_password(other, ADMIN_PASSWORD, address=OTHER)).status == HTTPStatus.OK
        assert (await try_password(one, ADMIN_PASSWORD, address=OTHER)).status == HTTPStatus.OK
        # What was counted before is not forgotten, and no limit is gone.
        assert await fail_at_many_accounts(one, 2, begin=2) == [_UNAUTHORIZED, _TOO_MANY]
        assert await fail_at_many_accounts(other, 4, begin=4) == [_UNAUTHORIZED] * 3 + [_TOO_MANY]
