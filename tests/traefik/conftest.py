"""What holds behind Traefik alone; what every proxy has in common is tested in tests/proxies/."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.stages import Stage, StandIn


@pytest.fixture
def stage(behind_traefik: Stage) -> Stage:
    return behind_traefik


@pytest.fixture
def stand_in(traefik_with_stand_in: StandIn) -> StandIn:
    return traefik_with_stand_in
