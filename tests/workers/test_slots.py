"""How soon a slot whose worker has died gets another one."""

from __future__ import annotations

from collections.abc import Iterator
from socket import socket
from typing import Any, cast

import pytest

from gateway.workers.slots import Slot, Worker


class Deaths:
    """A slot, and a clock of its own."""

    def __init__(self, control: socket) -> None:
        self.now = 1000.0
        self._control = control
        self._slot = Slot(0, [])

    def monotonic(self) -> float:
        return self.now

    def pause_after(self, lived: float) -> float:
        """Let a worker live for so long; gives the seconds until the next one may start."""
        # Of whatever generation it is.
        worker = self._slot.serving = Worker(1, self._slot, cast("Any", None), self._control, 0.0, began=self.now)
        self.now += lived
        self._slot.lose(worker)
        assert self._slot.serving is None
        return self._slot.next_start - self.now


@pytest.fixture
def deaths(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deaths]:
    with socket() as control:
        deaths = Deaths(control)
        monkeypatch.setattr("gateway.workers.slots.time", deaths)
        yield deaths


def test_first_death_costs_no_pause_and_each_that_follows_soon_a_longer_one(deaths: Deaths) -> None:
    pauses = [deaths.pause_after(0.5) for _ in range(20)]
    assert pauses[:4] == pytest.approx([0, 0.1, 0.2, 0.4])
    assert pauses == sorted(pauses)
    assert pauses[-1] == pytest.approx(5)


def test_who_lived_long_is_replaced_at_once_again(deaths: Deaths) -> None:
    for _ in range(5):
        deaths.pause_after(0.5)
    assert deaths.pause_after(11) == 0
