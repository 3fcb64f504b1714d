"""Passwords on the check while nothing can be counted: what was proven passes, and nobody may guess."""

from __future__ import annotations

from base64 import b64encode

import pytest

from tests.health.conftest import Pair
from tests.support.gateway import ADMIN_EMAIL, ADMIN_PASSWORD, DATABASE


@pytest.fixture(autouse=True)
def basic_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DATABASE, "GATEWAY_BASIC_CREDENTIALS", "true")


async def _status(pair: Pair, password: str, address: str) -> int:
    authorization = "Basic " + b64encode(f"{ADMIN_EMAIL}:{password}".encode()).decode()
    response = await pair.there.check(Authorization=authorization, X_Forwarded_For=address)
    await response.read()
    return response.status


async def test_outage_is_no_time_to_guess_passwords(pair: Pair) -> None:
    """L6: the quick answer to the right one would tell it from all the wrong ones, of which none was counted."""
    office, home = "192.0.2.1", "192.0.2.2"
    assert [await _status(pair, ADMIN_PASSWORD, address) for address in (office, home)] == [200, 200]
    await pair.to_database.refuse()
    await pair.to_database.cut()
    assert await _status(pair, "a guess", office) == 503
    assert [await _status(pair, ADMIN_PASSWORD, address) for address in (office, home)] == [503, 200]
