"""Every test of this folder runs once behind each proxy: what is written here holds behind all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.stages import PROXIES

if TYPE_CHECKING:
    from tests.support.stages import Stage, StandIn


@pytest.fixture(params=sorted(PROXIES))
def proxy(request: pytest.FixtureRequest) -> str:
    """The name of the proxy."""
    name: str = request.param
    return name


@pytest.fixture
def stage(request: pytest.FixtureRequest, proxy: str) -> Stage:
    """That proxy with a real gateway.

    Not parametrised itself: in random order pytest would start and end the proxies all the time.
    """
    found: Stage = request.getfixturevalue(f"behind_{proxy}")
    return found


@pytest.fixture
def stand_in(request: pytest.FixtureRequest, proxy: str) -> StandIn:
    """That proxy with a gateway that answers whatever a test wants it to."""
    found: StandIn = request.getfixturevalue(f"{proxy}_with_stand_in")
    return found
