"""P6: checks of sessions that nothing is remembered of, with the facts in SQLite and in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from statistics import median

from benchmarks.bench import Bench, take_turns
from benchmarks.checks import with_sessions
from benchmarks.gateway import RunningGateway, running_gateway
from benchmarks.once import ask_each_once
from benchmarks.preload import Amounts
from benchmarks.row import Row, at_least
from benchmarks.wrk import Loaded
from tests.support.servers.postgresql import running_postgresql

# Asked in turn with a cache so much smaller, each is forgotten long before it comes again.
_SESSIONS = 50_000
_REMEMBERED = 500
_SQLITE, _POSTGRESQL = "SQLite", "PostgreSQL"
_TARGETS = {_SQLITE: 5000, _POSTGRESQL: 2500}


def measure(bench: Bench) -> list[Row]:
    """Measure both, the PostgreSQL server on the load's core."""
    bench.progress.say(f"preparing two gateways with {_SESSIONS:,} sessions each")
    with ExitStack() as stack:
        with bench.on_load_core():
            server = stack.enter_context(running_postgresql())
        databases: dict[str, dict[str, str]] = {_SQLITE: {}, _POSTGRESQL: {"DATABASE_URL": server.new_database()}}
        loads = {name: _load(bench, stack.enter_context(_gateway(bench, more))) for name, more in databases.items()}
        for load in loads.values():
            # Connections to the database are made, and its statements prepared.
            ask_each_once(load.port, load.checks, range(_SESSIONS - 2 * _REMEMBERED, _SESSIONS))
        measured = take_turns(bench, loads)
    return [
        Row.of_rounds(
            "P6",
            f"cold check, {name}",
            [one.rate for one in rounds],
            unit="/s",
            target=at_least(_TARGETS[name], "/s"),
            note=f"{median(one.cpu_us for one in rounds):.0f} µs of the processor each",
        )
        for name, rounds in measured.items()
    ]


def _gateway(bench: Bench, more: Mapping[str, str]) -> AbstractContextManager[RunningGateway]:
    amounts = Amounts(members=1000, sessions=_SESSIONS, groups_per_member=3)
    return running_gateway(bench, amounts, environ={"GATEWAY_FACTS__MAX_ENTRIES": str(_REMEMBERED), **more})


def _load(bench: Bench, gateway: RunningGateway) -> Loaded:
    checks = with_sessions(gateway.credentials.sessions, cookie_name=gateway.settings.session_cookie_name)
    return Loaded.by(bench, checks, port=gateway.port, cpu_seconds=gateway.cpu_seconds)
