"""Many minutes at half capacity: does memory grow, or descriptors, or threads?

Tasks cannot be counted from outside, but one that never ends keeps its frames: a leak of them is one of memory. Every
round opens its connections anew, so that what a connection leaves behind shows as well.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from statistics import fmean, linear_regression

from benchmarks.bench import Bench, Unusable
from benchmarks.checks import with_sessions
from benchmarks.gateway import running_gateway
from benchmarks.memory import Held, held_by
from benchmarks.once import ask_each_once
from benchmarks.open_loop import ask_when_due, fastest_rate
from benchmarks.preload import Amounts
from benchmarks.row import Row, below
from benchmarks.wrk import Loaded

_SESSIONS = 1000
_ROUND_SECONDS = 10
_HALF = 0.5
_OF_THE_LOADS_LIMIT = 0.7
# Caches fill and connections to the database are made: what comes after is compared.
_SETTLED_AFTER = 0.2
_FEWEST = 4
_GROWTH = 3
_MEGABYTE = 1e6


def measure(bench: Bench, *, minutes: int) -> list[Row]:
    """Measure what one gateway holds after each round of load."""
    held: list[Held] = []
    with running_gateway(bench, Amounts(sessions=_SESSIONS, groups_per_member=3)) as gateway:
        checks = with_sessions(gateway.credentials.sessions, cookie_name=gateway.settings.session_cookie_name)
        ask_each_once(gateway.port, checks, range(_SESSIONS))
        load = Loaded.by(bench, checks, port=gateway.port, cpu_seconds=gateway.cpu_seconds)
        capacity = load.measure(_ROUND_SECONDS, round_number=0).rate
        ends_at = time.monotonic() + minutes * 60
        with bench.on_load_core():
            rate = min(_HALF * capacity, _OF_THE_LOADS_LIMIT * fastest_rate(gateway.port, checks))
            while time.monotonic() < ends_at:
                ask_when_due(gateway.port, checks, rate=rate, seconds=_ROUND_SECONDS, round_number=len(held))
                held.append(held_by(gateway.process.pid))
                bench.progress.say(f"{_told(held[-1])}; {max(0, ends_at - time.monotonic()):.0f} s to go")
    return _rows(held, rate=rate, capacity=capacity)


def _told(held: Held) -> str:
    return f"{held.memory / _MEGABYTE:.1f} MB, {held.descriptors} descriptors, {held.threads} threads"


def _rows(held: Sequence[Held], *, rate: float, capacity: float) -> list[Row]:
    settled = held[int(len(held) * _SETTLED_AFTER) :]
    if len(settled) < _FEWEST:
        message = f"{len(held)} rounds of {_ROUND_SECONDS} s are too few to tell a slope: soak longer"
        raise Unusable(message)
    where = f"{len(held)} rounds at {rate:,.0f}/s, {rate / capacity:.0%} of capacity"
    series = {
        "memory": [one.memory / _MEGABYTE for one in settled],
        "descriptors": [float(one.descriptors) for one in settled],
        "threads": [float(one.threads) for one in settled],
    }
    units = {"memory": "MB"}
    return [
        Row(
            "soak",
            f"{name}, growth along the slope",
            _growth_percent(values),
            "%",
            below(_GROWTH, "%"),
            note=f"{values[0]:,.1f} → {values[-1]:,.1f} {units.get(name, '')}; {where}",
        )
        for name, values in series.items()
    ]


def _growth_percent(values: Sequence[float]) -> float:
    """Give how much the fitted line rises from the first value to the last, of their mean."""
    slope = linear_regression(range(len(values)), values).slope
    return slope * (len(values) - 1) / fmean(values) * 100
