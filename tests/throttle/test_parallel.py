"""Many passwords at once, over HTTP: what is looked at, and who still gets in."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import pytest
import time_machine
from aiohttp import ClientSession, DummyCookieJar, TCPConnector

from tests.support.gateway import ADMIN_EMAIL, ADMIN_PASSWORD, Gateway, environment, start_gateway
from tests.support.throttled import STRANGER, WRONG, CountingHashing

MANY = 200


@pytest.fixture(autouse=True)
def counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count each password that is evaluated."""
    CountingHashing.evaluated = 0
    monkeypatch.setattr("gateway.wiring.parts.PasswordHashing", CountingHashing)


@pytest.fixture(autouse=True)
def patient_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody give up waiting, however slow the machine is now: these tests are about who gets a turn."""
    for deadline in ("gateway.throttle.lines._DEADLINE", "gateway.credentials.passwords._QUEUE_DEADLINE"):
        monkeypatch.setattr(deadline, timedelta(minutes=1))


@pytest.fixture
async def client() -> AsyncIterator[ClientSession]:
    """Give a client that really sends everything at once."""
    async with ClientSession(cookie_jar=DummyCookieJar(), connector=TCPConnector(limit=0)) as client:
        yield client


Choose = Callable[[int], str]


async def try_at_once(  # noqa: PLR0913 - one argument for each thing that a flood may vary
    gateway: Gateway,
    client: ClientSession,
    *,
    email: Choose = lambda _: ADMIN_EMAIL,
    password: Choose = lambda _: WRONG,
    address: Choose = lambda _: STRANGER,
    many: int = MANY,
) -> Counter[int]:
    async def one(number: int) -> int:
        body = {"email": email(number), "password": password(number)}
        headers = {"X-Forwarded-For": address(number)}
        async with client.post(f"{gateway.url}/api/auth/login", json=body, headers=headers) as response:
            return response.status

    # Time stands still: otherwise the pause of a second may be over before all of them were refused.
    with time_machine.travel(1_900_000_000, tick=False):
        return Counter(await asyncio.gather(*(one(number) for number in range(many))))


@pytest.mark.parametrize("email", [ADMIN_EMAIL, "nobody@example.com"])
async def test_of_two_hundred_wrong_passwords_for_one_account_five_are_evaluated(
    gateway: Gateway, client: ClientSession, email: str
) -> None:
    """L6, L7, N1: whoever comes too late is refused without a look, whether or not the account exists."""
    statuses = await try_at_once(gateway, client, email=lambda _: email, address=lambda number: f"198.51.100.{number}")
    assert CountingHashing.evaluated == 5
    assert statuses == {HTTPStatus.UNAUTHORIZED: 5, HTTPStatus.TOO_MANY_REQUESTS: MANY - 5}


async def test_of_two_hundred_passwords_from_one_address_seven_are_evaluated(
    tmp_path: Path, client: ClientSession
) -> None:
    """L6, N1: one guess at each of many accounts."""
    async with start_gateway(environment(tmp_path, LOGIN_MAX="7", BAN_VIOLATIONS="false")) as gateway:
        statuses = await try_at_once(gateway, client, email=lambda number: f"person{number}@example.com")
    assert CountingHashing.evaluated == 7
    assert statuses == {HTTPStatus.UNAUTHORIZED: 7, HTTPStatus.TOO_MANY_REQUESTS: MANY - 7}


async def test_right_passwords_at_once_all_pass(gateway: Gateway, client: ClientSession) -> None:
    """A person's many programs after a restart: they wait in line, and nobody is refused."""
    statuses = await try_at_once(gateway, client, password=lambda _: ADMIN_PASSWORD, many=40)
    assert statuses == {HTTPStatus.OK: 40}


async def test_right_password_among_a_flood_is_either_in_time_or_not_evaluated(
    gateway: Gateway, client: ClientSession
) -> None:
    """N1: the hundredth guess is worth nothing, even if it is right."""
    statuses = await try_at_once(
        gateway, client, password=lambda number: ADMIN_PASSWORD if number == MANY // 2 else WRONG
    )
    evaluated = statuses[HTTPStatus.OK] + statuses[HTTPStatus.UNAUTHORIZED]
    # A right one in time clears the count once.
    assert evaluated == CountingHashing.evaluated <= 5 + 5 * statuses[HTTPStatus.OK]


async def test_other_accounts_do_not_wait_for_the_one_under_attack(gateway: Gateway, client: ClientSession) -> None:
    attack = asyncio.create_task(try_at_once(gateway, client, email=lambda _: "victim@example.com"))
    assert (await gateway.log_in(**{"X-Forwarded-For": "203.0.113.9"})).status == HTTPStatus.OK
    await attack
