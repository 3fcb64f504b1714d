"""P4: how long a check takes at half of what the gateway can do, in an open loop, beside the floor at the same rate."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from benchmarks.bench import Bench
from benchmarks.checks import Checks, with_sessions
from benchmarks.gateway import running_gateway
from benchmarks.open_loop import Latencies, ask_when_due, fastest_rate, quantile
from benchmarks.preload import Amounts
from benchmarks.row import Row, below
from benchmarks.side.programs import FLOOR, running_beside
from benchmarks.wrk import Loaded

_SESSIONS = 1000
_HALF = 0.5
# Closer to its own limit the load would measure how it waits for itself.
_OF_THE_LOADS_LIMIT = 0.7
_QUANTILES = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}


def measure(bench: Bench) -> list[Row]:
    """Measure P4."""
    bench.progress.say("preparing a gateway with 1,000 sessions")
    with ExitStack() as stack:
        gateway = stack.enter_context(running_gateway(bench, Amounts(sessions=_SESSIONS, groups_per_member=3)))
        checks = with_sessions(gateway.credentials.sessions, cookie_name=gateway.settings.session_cookie_name)
        load = Loaded.by(bench, checks, port=gateway.port, cpu_seconds=gateway.cpu_seconds)
        load.warm_up()
        floor = stack.enter_context(running_beside(bench, FLOOR, load.one_answer()))
        capacity = statistics.median(load.measure(bench.seconds, round_number=number).rate for number in range(3))
        with bench.on_load_core():
            limit = _OF_THE_LOADS_LIMIT * fastest_rate(floor.port, checks)
            rate = min(_HALF * capacity, limit)
            measured = _take_turns(bench, checks, {"gateway": gateway.port, "floor": floor.port}, rate=rate)
    return _rows(measured, rate=rate, capacity=capacity)


def _take_turns(bench: Bench, checks: Checks, ports: dict[str, int], *, rate: float) -> dict[str, list[Latencies]]:
    measured: dict[str, list[Latencies]] = {name: [] for name in ports}
    for number in range(bench.rounds):
        for name in sorted(ports, reverse=number % 2 == 1):
            one = ask_when_due(ports[name], checks, rate=rate, seconds=bench.seconds, round_number=number)
            measured[name].append(one)
            p99 = quantile(one.answers, _QUANTILES["p99"]) * 1000
            bench.progress.say(f"round {number + 1} of {bench.rounds}: {name} at {rate:,.0f}/s: p99 {p99:.2f} ms")
    bench.progress.clear()
    return measured


def _rows(measured: dict[str, list[Latencies]], *, rate: float, capacity: float) -> list[Row]:
    where = f"{rate:,.0f}/s, {rate / capacity:.0%} of capacity"
    rows = [
        Row.of_rounds(
            "P4" if name == "gateway" else "",
            f"latency, {name}, {label}, open loop",
            _in_ms(rounds, lambda one: one.answers, share),
            unit="ms",
            target=below(1, "ms") if (name, label) == ("gateway", "p99") else None,
            note=where if name == "gateway" else "the same rate",
        )
        for name, rounds in measured.items()
        for label, share in _QUANTILES.items()
    ]
    late = _in_ms(measured["gateway"], lambda one: one.late, _QUANTILES["p99"])
    return [*rows, Row.of_rounds("", "of which the load itself was late, p99", late, unit="ms")]


def _in_ms(rounds: Sequence[Latencies], of: Callable[[Latencies], Sequence[float]], share: float) -> list[float]:
    return [quantile(of(one), share) * 1000 for one in rounds]
