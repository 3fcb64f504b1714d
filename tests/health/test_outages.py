"""One of two gateways loses its servers: who passes there, who does not, and what it says about itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.health.conftest import Pair, start_pair
from tests.support.servers.postgresql import PostgresqlProcess
from tests.support.servers.redis import RedisServer
from tests.support.waiting import wait_until

HTML = {"Accept": "text/html", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}


@pytest.fixture
def patient_checks() -> None:
    """Checks have the deadline here that they have everywhere else."""


@pytest.fixture
async def strict_pair(tmp_path: Path, postgresql: PostgresqlProcess, redis: RedisServer) -> AsyncIterator[Pair]:
    async with start_pair(tmp_path, postgresql, redis, grace="0s") as pair:
        yield pair


async def _readiness(pair: Pair) -> dict[str, Any]:
    response = await pair.there.ask("/readyz")
    answer: dict[str, Any] = await response.json()
    assert (response.status == 503) is (answer["status"] == "unavailable")
    assert response.status != 503 or int(response.headers["Retry-After"]) > 0
    return answer


def _says(pair: Pair, status: str, *parts: str) -> Callable[[], Awaitable[bool]]:
    async def says() -> bool:
        answer = await _readiness(pair)
        return (answer["status"], [reason["part"] for reason in answer.get("reasons", [])]) == (status, [*parts])

    return says


async def test_revocation_reaches_a_gateway_that_is_cut_off_from_the_database_by_the_doorbell(pair: Pair) -> None:
    """N2: never 200, nor a redirect to the login page, nor a cookie that is taken away."""
    await pair.to_database.black_hole()
    await wait_until(_says(pair, "degraded", "database"), seconds=3)
    assert await pair.status() == 200
    await pair.log_out()

    async def refused() -> bool:
        return await pair.status() == 503

    await wait_until(refused)
    await pair.to_database.pass_on()
    await wait_until(_says(pair, "ready"), seconds=3)
    assert await pair.status() == 401


async def test_lost_doorbell_is_said_and_the_log_keeps_the_bound(pair: Pair) -> None:
    await pair.to_redis.refuse()
    await wait_until(_says(pair, "degraded", "doorbell"), seconds=3)
    assert await pair.status() == 200
    await pair.log_out()

    async def refused() -> bool:
        return await pair.status() == 401

    await wait_until(refused)
    await pair.to_redis.pass_on()
    await wait_until(_says(pair, "ready"), seconds=6)


async def test_cut_off_from_both_says_how_late_a_revocation_may_be(pair: Pair) -> None:
    await pair.to_redis.refuse()
    await pair.to_database.refuse()
    await wait_until(_says(pair, "degraded", "database", "doorbell"), seconds=3)
    answer = await _readiness(pair)
    assert "a revocation made elsewhere arrives within 1m" in answer["reasons"][1]["effect"]
    assert all(reason["since"].endswith("Z") for reason in answer["reasons"])
    assert "127.0.0.1" not in str(answer)
    assert await pair.status() == 200


async def test_without_a_grace_everything_is_503_after_a_second_and_heals(strict_pair: Pair) -> None:
    await strict_pair.to_database.black_hole()
    await wait_until(_says(strict_pair, "unavailable", "database"), seconds=3)
    async with asyncio.timeout(2.5):
        assert await strict_pair.status() == 503
    await strict_pair.to_database.pass_on()
    await wait_until(_says(strict_pair, "ready"), seconds=3)
    assert await strict_pair.status() == 200


@pytest.mark.parametrize("fault", ["black_hole", "refuse"])
async def test_check_of_an_unknown_credential_is_503_within_its_deadline(pair: Pair, fault: str) -> None:
    """N2."""
    other = await pair.here.session()
    await getattr(pair.to_database, fault)()
    for _ in range(2):
        async with asyncio.timeout(2.5):
            response = await pair.there.check(Cookie=other.cookie, **HTML)
        assert (response.status, response.headers["Retry-After"]) == (503, "5")
        assert "Location" not in response.headers
        assert "Set-Cookie" not in response.headers


async def test_pages_and_programs_are_told_503_cleanly(pair: Pair) -> None:
    await pair.to_database.refuse()
    login = {"email": "admin@example.com", "password": "Correct-horse-7"}
    for method, path, body, headers in (
        ("GET", "/", None, HTML | {"Cookie": "gateway_session=unknown"}),
        ("POST", "/login", login, HTML),
        ("POST", "/api/auth/login", login, {}),
        ("POST", "/api/auth/refresh", {}, {"Cookie": "refreshToken=unknown"}),
        ("POST", "/api/auth/logout", None, {"Cookie": pair.session.cookie}),
        ("GET", "/api/api-keys", None, {"Authorization": pair.session.bearer}),
        ("GET", "/api/v1/orgs/current/members", None, {"Authorization": pair.session.bearer}),
    ):
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        response = await pair.there.client.request(
            method, f"{pair.there.url}{path}", json=body, headers=sent, allow_redirects=False
        )
        text = await response.text()
        assert response.status == 503, (path, response.status, text)
        assert response.headers["Retry-After"] == "5", path
        assert "Set-Cookie" not in response.headers, path
        assert "Traceback" not in text


async def test_login_page_is_shown_without_a_database(pair: Pair) -> None:
    await pair.to_database.refuse()
    response = await pair.there.ask("/login", **HTML)
    assert (response.status, response.content_type) == (200, "text/html")
