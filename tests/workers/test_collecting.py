"""Garbage in cycles, of which a worker is rid in the end."""

from __future__ import annotations

import gc
import sys
import weakref

from gateway.workers.collecting import collect_briefly
from tests.support.commands import FORKS


class _Cycle:
    """What only the collector can end."""

    def __init__(self) -> None:
        self.itself = self


def _grow_old_and_die() -> None:
    collect_briefly()
    if not gc.get_freeze_count():
        sys.exit("the parts of a worker are looked at again and again")
    cycle = _Cycle()
    kept: list[list[int]] = [[] for _ in range(10_000)]
    gone = weakref.ref(cycle)
    # From now on only a look at everything finds it.
    gc.collect(1)
    del cycle
    kept.extend([] for _ in range(600_000))
    sys.exit(0 if gone() is None else "what was garbage is still there")


def test_garbage_that_has_grown_old_is_still_collected() -> None:
    # A process of its own: this one goes on as it is.
    process = FORKS.Process(target=_grow_old_and_die)
    process.start()
    process.join()
    assert process.exitcode == 0
