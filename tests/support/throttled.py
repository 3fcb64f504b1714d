"""Somebody who tries passwords of a gateway from an address of their own, and what the gateway's database says then."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import pytest
import time_machine
from aiohttp import ClientResponse

from gateway.credentials.passwords import PasswordHashing
from tests.support.gateway import ADMIN_EMAIL, ADMIN_PASSWORD, Gateway
from tests.support.migrated import database_file

WRONG = "not the password"
STRANGER = "198.51.100.7"


@pytest.fixture
def stopped_clock() -> Iterator[time_machine.Traveller]:
    """Let time stand still: the first pause of an account is a second, which may be over before it is looked at."""
    with time_machine.travel(datetime.now(UTC), tick=False) as traveller:
        yield traveller


async def try_password(
    gateway: Gateway, password: str = WRONG, *, address: str = STRANGER, email: str = ADMIN_EMAIL, cookie: str = ""
) -> ClientResponse:
    cookies = {"Cookie": cookie} if cookie else {}
    return await gateway.log_in(email, password, **{"X-Forwarded-For": address}, **cookies)


async def fail_often(gateway: Gateway, times: int, **attempt: str) -> list[int]:
    """Try a wrong password so often; give the statuses."""
    return [(await try_password(gateway, **attempt)).status for _ in range(times)]


async def pause_account(gateway: Gateway, email: str = ADMIN_EMAIL) -> None:
    """Let strangers fail until the account pauses, each from an address of their own; needs `stopped_clock`."""
    for number in range(5):
        refused = await try_password(gateway, address=f"198.51.100.{number}", email=email)
        assert refused.status == HTTPStatus.UNAUTHORIZED
    paused = await try_password(gateway, ADMIN_PASSWORD, address="198.51.100.99", email=email)
    assert paused.status == HTTPStatus.TOO_MANY_REQUESTS


def rows(gateway: Gateway, query: str) -> list[tuple[Any, ...]]:
    """Read the database beside the running gateway."""
    connection = sqlite3.connect(database_file(gateway.settings))
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


class CountingHashing(PasswordHashing):
    """The real thing, and how often it was asked."""

    evaluated = 0

    async def verify(self, password: str, *, expected: str | None) -> bool:
        CountingHashing.evaluated += 1
        return await super().verify(password, expected=expected)
