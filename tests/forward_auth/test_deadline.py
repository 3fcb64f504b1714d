"""A check answers, whatever happens inside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import pytest

from gateway.storage.database import Database
from gateway.storage.postgresql_reader import PostgresqlReader
from gateway.storage.sqlite_reader import SqliteReader
from tests.support.gateway import Gateway

pytestmark = pytest.mark.usefixtures("lane")


@pytest.fixture
def patient_checks() -> None:
    """Keep the deadline as it is: it is what these tests are about."""


@pytest.mark.both_databases
@pytest.mark.usefixtures("gateways_database")
async def test_check_is_unavailable_in_time_when_the_store_is_silent(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A1, N2: nginx waits three seconds for an answer, Caddy for ever; the cookie stays."""
    cookie = (await gateway.session()).cookie

    @asynccontextmanager
    async def silent(_database: Database) -> AsyncIterator[None]:
        await asyncio.Event().wait()
        yield

    monkeypatch.setattr(Database, "read", silent)

    async def no_rows(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(SqliteReader, "ask_at_once", lambda *_: None)
    monkeypatch.setattr(PostgresqlReader, "_fetch", no_rows)
    # What is tried before the full check counts as well.
    async with asyncio.timeout(2.5):
        response = await gateway.check(Cookie=cookie)
    assert response.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert response.headers["X-Auth-Reason"] == "unavailable"
    assert response.headers["Retry-After"]
    assert "Set-Cookie" not in response.headers


@pytest.mark.both_databases
@pytest.mark.usefixtures("gateways_database")
async def test_check_is_unavailable_when_looking_fails_as_nobody_expected(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    cookie = (await gateway.session()).cookie

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    for way in ("look_up_at_once", "look_up"):
        monkeypatch.setattr(Database, way, broken)
    response = await gateway.check(Cookie=cookie)
    assert response.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert response.headers["X-Auth-Reason"] == "unavailable"


async def test_known_credentials_pass_while_the_store_is_silent(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A7: facts are in process, so that a check costs no query."""
    cookie = (await gateway.session()).cookie
    assert (await gateway.check(Cookie=cookie)).status == HTTPStatus.OK

    def broken(_database: Database, *_asked: object) -> None:
        raise AssertionError

    for way in ("look_up_at_once", "look_up", "read"):
        monkeypatch.setattr(Database, way, broken)
    assert (await gateway.check(Cookie=cookie)).status == HTTPStatus.OK


async def test_addresses_that_we_give_come_from_the_configuration_only(gateway: Gateway) -> None:
    """D4."""
    hostile = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    check = await gateway.check(**hostile)
    assert check.headers["Location"].startswith(f"{gateway.settings.public_url}/login?rd=")
    for path in ("/login", "/", "/denied/0a?reason=forbidden", "/nothing"):
        page = await gateway.ask(path, Accept="text/html", **hostile)
        assert "evil.example" not in "".join(page.headers.values()), path
