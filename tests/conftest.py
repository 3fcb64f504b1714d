"""What every test may ask for."""

from __future__ import annotations

import gc

import pytest

pytest_plugins = [
    "tests.support.database",
    "tests.support.fixtures",
    "tests.support.hashes",
    "tests.support.held_checks",
    "tests.support.lanes",
    "tests.support.stages",
    "tests.support.throttled",
]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest: begun last, it would keep one process busy and let the others wait."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_collection_finish() -> None:
    """Spare the collector all modules and tests: it looked at them a tenth of the time."""
    gc.collect()
    gc.freeze()
