"""How "too many" is said: the same on API, page and check, and never for no time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import pytest
from aiohttp import ClientResponse

from gateway.errors import TooManyAttempts
from gateway.forward_auth.answers import refuse
from gateway.web.errors import refusal_headers
from tests.support.forms import Person, hidden_fields
from tests.support.gateway import ADMIN_EMAIL, Gateway, environment, start_gateway
from tests.support.throttled import WRONG, fail_often, pause_account, try_password

LIMIT_HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After")


@pytest.fixture
async def strict(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with start_gateway(environment(tmp_path, LOGIN_MAX="2", LOGIN_WINDOW="5")) as gateway:
        yield gateway


def limits_of(response: ClientResponse) -> list[int]:
    assert response.status == HTTPStatus.TOO_MANY_REQUESTS
    return [int(response.headers[name]) for name in LIMIT_HEADERS]


async def test_api_says_how_many_and_for_how_long(strict: Gateway) -> None:
    await fail_often(strict, 2)
    refused = await try_password(strict)
    limit, remaining, reset, retry_after = limits_of(refused)
    assert (limit, remaining) == (2, 0)
    assert 0 < reset <= 301
    assert 0 < retry_after <= 301
    assert await refused.json() == {
        "error": "Too many requests",
        "message": "Too many login attempts. Please try again later.",
    }


async def test_page_says_the_same(strict: Gateway) -> None:
    person = Person(strict)
    fields = hidden_fields(await (await person.open("/login")).text())
    for _ in range(2):
        await person.post("/login", {**fields, "email": ADMIN_EMAIL, "password": WRONG})
    refused = await person.post("/login", {**fields, "email": ADMIN_EMAIL, "password": WRONG})
    limit, remaining, reset, retry_after = limits_of(refused)
    assert (limit, remaining) == (2, 0)
    assert min(reset, retry_after) > 0
    assert "Too many login attempts" in await refused.text()


@pytest.mark.usefixtures("stopped_clock")
async def test_paused_account_says_so_as_well(gateway: Gateway) -> None:
    await pause_account(gateway)
    limit, remaining, reset, retry_after = limits_of(await try_password(gateway))
    assert (limit, remaining, reset, retry_after) == (5, 0, 1, 1)


@pytest.mark.parametrize("wait", [timedelta(0), timedelta(microseconds=1), timedelta(seconds=1)])
def test_nobody_is_told_to_come_back_at_once(wait: timedelta) -> None:
    refusal = TooManyAttempts(retry_after=wait)
    assert refusal_headers(refusal)["Retry-After"] == "1"
    assert dict(refuse(refusal, decision_id="x").headers)["Retry-After"] == "1"


@pytest.mark.usefixtures("stopped_clock")
@pytest.mark.parametrize("state", ["fresh", "paused"])
async def test_unknown_account_is_told_what_a_known_one_is(gateway: Gateway, state: str) -> None:
    """L7: status, body and headers; the time is measured in benchmarks/."""
    if state == "paused":
        await pause_account(gateway, ADMIN_EMAIL)
        await pause_account(gateway, "nobody@example.com")
    answers = [await try_password(gateway, email=email) for email in (ADMIN_EMAIL, "nobody@example.com")]
    known, unknown = [(one.status, await one.read(), comparable(one)) for one in answers]
    assert known == unknown


def comparable(response: ClientResponse) -> dict[str, str]:
    own = {"date", "x-request-id"}
    return {name: value for name, value in response.headers.items() if name.lower() not in own}
