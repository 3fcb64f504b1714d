"""P9: how long a check takes while as many people log in as the hash pool takes, beside a quiet time before and after.

The gateway and its hash threads share one core, as they would on a busy machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bench import Bench, Unusable
from benchmarks.checks import with_sessions
from benchmarks.gateway import RunningGateway, running_gateway
from benchmarks.open_loop import ask_when_due, quantile
from benchmarks.preload import PASSWORD, Amounts
from benchmarks.row import Row, below
from benchmarks.wrk import Loaded

_SESSIONS = 1000
# Enough for a p99, and never so many that checks would wait for each other.
_MOST_PER_SECOND = 1000
_SHARE_OF_CAPACITY = 0.25
_ROUND_SECONDS = 5
_BEFORE, _DURING, _AFTER = range(3), range(3, 9), range(9, 12)
_STORM_SECONDS = len(_DURING) * _ROUND_SECONDS
# The logins begin before the checks are timed, and end after.
_AROUND_SECONDS = 2
_P99 = 0.99
_QUANTILES = {"p50": 0.5, "p99": _P99}
_SLOWER = 2
_PATIENCE_SECONDS = 60
_LOGINS = Path(__file__).parent.parent / "side" / "logins.py"
# Below the program that takes the time: it is on the same core.
_NICE = 10


def measure(bench: Bench) -> list[Row]:
    """Measure quiet, storm and quiet again on one gateway."""
    bench.progress.say("preparing a gateway for logins")
    with running_gateway(bench, Amounts(sessions=_SESSIONS, groups_per_member=3)) as gateway:
        checks = with_sessions(gateway.credentials.sessions, cookie_name=gateway.settings.session_cookie_name)
        load = Loaded.by(bench, checks, port=gateway.port, cpu_seconds=gateway.cpu_seconds)
        load.warm_up()
        rate = min(_MOST_PER_SECOND, _SHARE_OF_CAPACITY * load.measure(bench.seconds, round_number=0).rate)
        with bench.on_load_core():
            quiet = _ask(load, rate, rounds=_BEFORE, when="quiet")
            with _logins(bench, gateway) as logins:
                storm = _ask(load, rate, rounds=_DURING, when="storm")
            quiet += _ask(load, rate, rounds=_AFTER, when="quiet")
    return _rows(sorted(quiet), sorted(storm), logins, rate=rate)


@dataclass(slots=True)
class _Logins:
    seconds: float
    done: int = 0
    refused: int = 0

    @property
    def per_second(self) -> float:
        return self.done / self.seconds


@contextmanager
def _logins(bench: Bench, gateway: RunningGateway) -> Iterator[_Logins]:
    """Let people log in for as long as the storm; the counts are there after the block."""
    file = bench.own_folder("people") / "people.json"
    file.write_text(json.dumps({"emails": gateway.credentials.emails, "password": PASSWORD}))
    logins = _Logins(_STORM_SECONDS + 2 * _AROUND_SECONDS)
    arguments = [str(_LOGINS), str(gateway.port), str(file), str(logins.seconds)]
    with subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        os.setpriority(os.PRIO_PROCESS, process.pid, _NICE)
        try:
            time.sleep(_AROUND_SECONDS)
            yield logins
            said, complaint = process.communicate(timeout=_PATIENCE_SECONDS)
        finally:
            process.kill()
    if process.returncode:
        raise Unusable(complaint)
    logins.done, logins.refused = map(int, said.split())


def _ask(load: Loaded, rate: float, *, rounds: range, when: str) -> list[float]:
    answers: list[float] = []
    for number in rounds:
        one = ask_when_due(load.port, load.checks, rate=rate, seconds=_ROUND_SECONDS, round_number=number)
        load.bench.progress.say(f"{when}: p99 {quantile(one.answers, _P99) * 1e3:.2f} ms")
        answers += one.answers
    return answers


def _rows(quiet: Sequence[float], storm: Sequence[float], logins: _Logins, *, rate: float) -> list[Row]:
    p99, p99_quiet = quantile(storm, _P99), quantile(quiet, _P99)
    return [
        Row(
            "P9",
            "p99 of checks during a storm of logins, against a quiet time",
            p99 / p99_quiet,
            "x",
            below(_SLOWER),
            note=f"{logins.per_second:.0f} logins/s ({logins.refused} told to come back), {rate:,.0f} checks/s",
        ),
        *(
            Row("", f"latency, {when}, {label}", quantile(answers, share) * 1e3, "ms")
            for when, answers in (("without logins", quiet), ("storm of logins", storm))
            for label, share in _QUANTILES.items()
        ),
    ]
