"""The two lanes that answer checks: the bare protocol, and aiohttp, which answers everything else as well."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

import pytest


class Lane(StrEnum):
    FAST = "fast"
    SLOW = "slow"


@contextmanager
def lane_of_gateways(lane: Lane) -> Iterator[None]:
    """Let every gateway that is started in the block answer checks in this lane, for as long as it lives."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.serving.FAST_LANE", lane is Lane.FAST)
        yield


@pytest.fixture(params=list(Lane))
def lane(request: pytest.FixtureRequest) -> Iterator[Lane]:
    """Run the test once in each lane: `usefixtures` on a module whose tests start their gateways by themselves."""
    chosen: Lane = request.param
    with lane_of_gateways(chosen):
        yield chosen
