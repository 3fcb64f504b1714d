"""Fixtures that many tests share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.forms import Person
from tests.support.gateway import Gateway, environment, start_gateway


@pytest.fixture(autouse=True)
def patient_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let checks answer late: a machine that runs many tests at once stands still for a second now and then.

    Tests of the deadline itself have a fixture of this name that does nothing.
    """
    monkeypatch.setattr("gateway.forward_auth.check._DEADLINE", timedelta(seconds=20))


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    """Run a gateway with an administrator and no rules: everyone who is logged in may pass."""
    async with start_gateway(environment(tmp_path)) as running:
        yield running


@pytest.fixture
def person(gateway: Gateway) -> Person:
    """Put somebody at the pages of that gateway."""
    return Person(gateway)
