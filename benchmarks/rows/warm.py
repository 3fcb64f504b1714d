"""P1 to P3: the processor's time for a check of somebody who is known, beside a bare handler and the floor.

The time is that of the processor (all threads of the supervisor and its worker) over answered checks; the rate stands
beside it, for the floor is quicker than the load. All take turns within one run, each on the same core.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial

from benchmarks.bench import Bench, Measured, ratios, take_turns
from benchmarks.checks import with_access_tokens, with_api_keys, with_sessions
from benchmarks.gateway import RunningGateway, running_gateway
from benchmarks.preload import Amounts
from benchmarks.processes import cpu_seconds
from benchmarks.row import Row, at_least
from benchmarks.side.programs import BARE_AIOHTTP, FLOOR, running_beside
from benchmarks.wrk import Loaded

_EACH = 1000
_SESSIONS, _API_KEYS, _ACCESS_TOKENS = "session", "API key", "JWT"
_BARE, _FLOOR = "bare aiohttp", "floor"


def measure(bench: Bench) -> list[Row]:
    """Measure P1, P2 and P3."""
    bench.progress.say("preparing a gateway with 1,000 sessions, API keys and JWTs")
    with ExitStack() as stack:
        amounts = Amounts(members=_EACH, sessions=_EACH, api_keys=_EACH, access_tokens=_EACH, groups_per_member=3)
        gateway = stack.enter_context(running_gateway(bench, amounts))
        loads = _loads_of(bench, gateway)
        for load in loads.values():
            load.warm_up()
        answer = loads[_SESSIONS].one_answer()
        for name, program in ((_BARE, BARE_AIOHTTP), (_FLOOR, FLOOR)):
            process = stack.enter_context(running_beside(bench, program, answer))
            loads[name] = Loaded.by(
                bench, loads[_SESSIONS].checks, port=process.port, cpu_seconds=partial(cpu_seconds, process.pid)
            )
        measured = take_turns(bench, loads)
    return _rows(measured)


def _loads_of(bench: Bench, gateway: RunningGateway) -> dict[str, Loaded]:
    made = gateway.credentials
    checks = {
        _SESSIONS: with_sessions(made.sessions, cookie_name=gateway.settings.session_cookie_name),
        _API_KEYS: with_api_keys(made.api_keys),
        _ACCESS_TOKENS: with_access_tokens(made.access_tokens),
    }
    return {
        name: Loaded.by(bench, one, port=gateway.port, cpu_seconds=gateway.cpu_seconds) for name, one in checks.items()
    }


def _rows(measured: dict[str, list[Measured]]) -> list[Row]:
    cpu = {name: [one.cpu_us for one in rounds] for name, rounds in measured.items()}
    rate = {name: [one.rate for one in rounds] for name, rounds in measured.items()}
    session = cpu[_SESSIONS]
    return [
        Row.of_rounds(
            "P1",
            "warm check by session, against a bare aiohttp handler",
            ratios(cpu[_BARE], session),
            unit="x",
            target=at_least(2.4),
            note=f"rate {_ratio_of_medians(rate[_SESSIONS], rate[_BARE]):.2f} x",
        ),
        *(
            Row.of_rounds(
                "P2",
                f"the same by {name}, against a session",
                ratios(session, cpu[name]),
                unit="x",
                target=at_least(0.9),
                note=f"rate {_ratio_of_medians(rate[name], rate[_SESSIONS]):.2f} x",
            )
            for name in (_API_KEYS, _ACCESS_TOKENS)
        ),
        Row.of_rounds(
            "P3",
            "warm check by session, against the floor",
            ratios(cpu[_FLOOR], session),
            unit="x",
            target=at_least(0.52),
            note=f"wanted: 0.65; rate {_ratio_of_medians(rate[_SESSIONS], rate[_FLOOR]):.2f} x",
        ),
        *(
            Row.of_rounds("", f"processor's time, {name}", cpu[name], unit="µs", note=f"{_median(rate[name]):,.0f}/s")
            for name in cpu
        ),
    ]


def _median(values: Sequence[float]) -> float:
    return statistics.median(values)


def _ratio_of_medians(above: Sequence[float], below: Sequence[float]) -> float:
    return _median(above) / _median(below)
