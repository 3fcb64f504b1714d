from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.forms import Person
from tests.support.gateway import Gateway, start_gateway
from tests.support.newcomers import open_door


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Gateway]:
    """Run a gateway at which people may register."""
    async with start_gateway(open_door(tmp_path)) as running:
        yield running


@pytest.fixture
def visitor(door: Gateway) -> Person:
    """Put somebody at the pages of that gateway."""
    return Person(door)
