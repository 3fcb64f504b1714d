"""What holds behind nginx alone; what every proxy has in common is tested in tests/proxies/."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.stages import Stage, StandIn


@pytest.fixture
def stage(behind_nginx: Stage) -> Stage:
    return behind_nginx


@pytest.fixture
def stand_in(nginx_with_stand_in: StandIn) -> StandIn:
    return nginx_with_stand_in
