"""Fixtures that many tests share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.forms import Person
from tests.support.gateway import Gateway, environment, start_gateway


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    """Run a gateway with an administrator and no rules: everyone who is logged in may pass."""
    async with start_gateway(environment(tmp_path)) as running:
        yield running


@pytest.fixture
def person(gateway: Gateway) -> Person:
    """Put somebody at the pages of that gateway."""
    return Person(gateway)
