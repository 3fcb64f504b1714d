"""P8: memory at rest, for each fact that is remembered, and when far more sessions come than may be remembered."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import pairwise

from benchmarks.bench import Bench
from benchmarks.checks import with_sessions
from benchmarks.gateway import RunningGateway, running_gateway
from benchmarks.memory import family_memory
from benchmarks.once import ask_each_once
from benchmarks.preload import Amounts
from benchmarks.row import Row, below

_DISTINCT = 1_000_000
# Connections, prepared statements and rules are there once a few have been asked.
_FEW = 1000
_MEGABYTE = 1e6
_AT_REST_MB = 110
_PER_FACT_BYTES = 1500
_BEYOND_FULL = 1.25


def measure(bench: Bench) -> list[Row]:
    """Measure one gateway, from its start until a million sessions have come by."""
    bench.progress.say(f"preparing a gateway with {_DISTINCT:,} sessions")
    with ExitStack() as stack:
        amounts = Amounts(members=10_000, sessions=_DISTINCT, groups_per_member=3)
        gateway = stack.enter_context(running_gateway(bench, amounts))
        checks = with_sessions(gateway.credentials.sessions, cookie_name=gateway.settings.session_cookie_name)
        at_rest = family_memory(gateway.process.pid)
        remembered = min(gateway.settings.facts.max_entries, _DISTINCT)
        bounds = (0, _FEW, remembered, _DISTINCT)
        worker: list[float] = []
        for begin, end in pairwise(bounds):
            with bench.on_load_core():
                ask_each_once(gateway.port, checks, range(begin, end), bench.progress)
            worker.append(_of_worker(gateway))
    few, full, after = worker
    return [
        Row(
            "P8",
            "memory at rest, supervisor and worker together",
            sum(one.share for one in at_rest) / _MEGABYTE,
            "MB",
            below(_AT_REST_MB, "MB"),
            note=f"PSS; RSS {' and '.join(f'{one.resident / _MEGABYTE:.0f} MB' for one in at_rest)}",
        ),
        Row(
            "P8",
            "memory for each fact that is remembered",
            (full - few) / (remembered - _FEW),
            "bytes",
            below(_PER_FACT_BYTES, "bytes"),
            note=f"{_FEW:,} → {remembered:,} facts; what waits to be written about their last use is part of it",
        ),
        Row(
            "P8",
            f"memory after {_DISTINCT:,} distinct sessions, against a cache just full",
            after / full,
            "x",
            below(_BEYOND_FULL),
            note=f"{full / _MEGABYTE:.0f} → {after / _MEGABYTE:.0f} MB with facts.max_entries {remembered:,}",
        ),
    ]


def _of_worker(gateway: RunningGateway) -> float:
    return max(one.private for one in family_memory(gateway.process.pid))
