"""P10: two workers against one, on two cores that the load needs a part of as well."""

from __future__ import annotations

from contextlib import ExitStack

from benchmarks.bench import Bench, ratios, take_turns
from benchmarks.checks import with_sessions
from benchmarks.gateway import running_gateway
from benchmarks.preload import Amounts
from benchmarks.row import Row, at_least
from benchmarks.wrk import Loaded

_SESSIONS = 1000
_ONE, _TWO = "1 worker", "2 workers"


def measure(bench: Bench) -> list[Row]:
    """Measure P10."""
    shared = bench.sharing_cores()
    loads = {}
    with ExitStack() as stack:
        for name, workers in ((_ONE, 1), (_TWO, 2)):
            shared.progress.say(f"preparing a gateway with {name}")
            amounts = Amounts(members=_SESSIONS, sessions=_SESSIONS, groups_per_member=3)
            gateway = stack.enter_context(running_gateway(shared, amounts, workers=workers))
            checks = with_sessions(gateway.credentials.sessions, cookie_name=gateway.settings.session_cookie_name)
            loads[name] = Loaded.by(shared, checks, port=gateway.port, cpu_seconds=gateway.cpu_seconds)
            loads[name].warm_up()
            # That was one connection, and so one worker.
            loads[name].measure(shared.seconds, round_number=0)
        measured = take_turns(shared, loads)
    rate = {name: [one.rate for one in rounds] for name, rounds in measured.items()}
    return [
        Row.of_rounds(
            "P10",
            "checks a second with 2 workers, against 1",
            ratios(rate[_TWO], rate[_ONE]),
            unit="x",
            target=at_least(1),
            note="the load shares both cores",
        ),
        *(Row.of_rounds("", f"checks, {name}", rate[name], unit="/s") for name in rate),
    ]
