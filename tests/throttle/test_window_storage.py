"""The windows of addresses, as the library's own strategy uses them."""

from __future__ import annotations

import pytest
import time_machine
from limits import RateLimitItemPerSecond
from limits.aio.strategies import MovingWindowRateLimiter

from gateway.throttle import window_storage
from gateway.throttle.window_storage import WindowStorage

_TWO_IN_A_MINUTE = RateLimitItemPerSecond(2, 60)


async def test_window_moves() -> None:
    windows = MovingWindowRateLimiter(WindowStorage())
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False) as clock:
        assert [await windows.hit(_TWO_IN_A_MINUTE, "a") for _ in range(3)] == [True, True, False]
        assert await windows.hit(_TWO_IN_A_MINUTE, "b")
        assert (await windows.get_window_stats(_TWO_IN_A_MINUTE, "a")).remaining == 0
        clock.shift(61)
        assert (await windows.get_window_stats(_TWO_IN_A_MINUTE, "a")).remaining == 2
        assert await windows.hit(_TWO_IN_A_MINUTE, "a")
        await windows.clear(_TWO_IN_A_MINUTE, "a")
        assert (await windows.get_window_stats(_TWO_IN_A_MINUTE, "a")).remaining == 2


async def test_addresses_that_are_quiet_are_forgotten() -> None:
    storage = WindowStorage()
    windows = MovingWindowRateLimiter(storage)
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False) as clock:
        for number in range(50):
            await windows.hit(_TWO_IN_A_MINUTE, str(number))
        clock.shift(61)
        await windows.hit(_TWO_IN_A_MINUTE, "late")
    assert list(storage._windows[60]) == [_TWO_IN_A_MINUTE.key_for("late")]  # noqa: SLF001 - that nothing is kept is the subject


async def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window_storage, "_MOST_KEYS", 10)
    storage = WindowStorage()
    windows = MovingWindowRateLimiter(storage)
    for number in range(100):
        await windows.hit(_TWO_IN_A_MINUTE, str(number))
    assert len(storage._windows[60]) <= 11  # noqa: SLF001
    assert (await windows.get_window_stats(_TWO_IN_A_MINUTE, "99")).remaining == 1
