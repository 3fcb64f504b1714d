"""P5: requests through a real nginx with the shipped configuration, which asks the gateway or one that says only 200.

nginx, whom it asks and the application share the program's core, and the load has the other one to itself: what a
check costs is seen whole. On a core of its own the gateway would hide behind nginx, which needs several times as long.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from statistics import median

from benchmarks.bench import Bench, Measured, ratios, take_turns
from benchmarks.checks import HOSTS, visits_with_sessions, with_sessions
from benchmarks.gateway import running_gateway
from benchmarks.preload import Amounts
from benchmarks.processes import cpu_seconds
from benchmarks.row import Row, at_least
from benchmarks.side.constant_nginx import ConstantNginx, constant_nginx
from benchmarks.wrk import Loaded
from gateway.config.settings import Settings
from gateway.demo.nginx import RunningNginx, listen_on_loopback, nginx_running
from gateway.proxy_config.nginx import render

_SESSIONS = 1000
_GATEWAY, _CONSTANT = "nginx asking the gateway", "nginx asking an nginx that says 200"
# Without TLS: its cost would be the same in both, and hide what differs.
_ENVIRON = {"GATEWAY_PUBLIC_URL": "http://login.example.com"}


def measure(bench: Bench) -> list[Row]:
    """Measure P5."""
    bench.progress.say("preparing a gateway with 1,000 sessions behind nginx")
    with ExitStack() as stack:
        amounts = Amounts(members=_SESSIONS, sessions=_SESSIONS, groups_per_member=3)
        gateway = stack.enter_context(running_gateway(bench, amounts, environ=_ENVIRON))
        tokens, cookie_name = gateway.credentials.sessions, gateway.settings.session_cookie_name
        checks = with_sessions(tokens, cookie_name=cookie_name)
        answer = Loaded.by(bench, checks, port=gateway.port, cpu_seconds=gateway.cpu_seconds).one_answer()
        constant = stack.enter_context(constant_nginx(bench, answer))
        visits = visits_with_sessions(tokens, cookie_name=cookie_name)
        loads = {}
        for name, asked, pids in (
            (_GATEWAY, gateway.port, [gateway.process.pid]),
            (_CONSTANT, constant.check_port, []),
        ):
            port, nginx = stack.enter_context(_shipped(bench, gateway.settings, asked=asked, constant=constant))
            family = [*pids, nginx.process.pid, constant.pid]
            loads[name] = Loaded.by(bench, visits, port=port, cpu_seconds=partial(cpu_seconds, *family))
            loads[name].warm_up()
        measured = take_turns(bench, loads)
    return _rows(measured)


@contextmanager
def _shipped(
    bench: Bench, settings: Settings, *, asked: int, constant: ConstantNginx
) -> Iterator[tuple[int, RunningNginx]]:
    """Run nginx as `gateway proxy-config nginx` writes it, which asks whoever listens on that port."""
    listener = listen_on_loopback(0)
    port: int = listener.getsockname()[1]
    files = render(
        settings,
        site=HOSTS[0],
        application=f"http://127.0.0.1:{constant.application_port}",
        listen=f"127.0.0.1:{port}",
        gateways=[f"http://127.0.0.1:{asked}"],
    )
    with ExitStack() as stack:
        with bench.on_program_core():
            nginx = stack.enter_context(nginx_running(listener, files))
        yield port, nginx


def _rows(measured: dict[str, list[Measured]]) -> list[Row]:
    rate = {name: [one.rate for one in rounds] for name, rounds in measured.items()}
    cpu = {name: [one.cpu_us for one in rounds] for name, rounds in measured.items()}
    return [
        Row.of_rounds(
            "P5",
            "requests through nginx, against one that asks a constant 200",
            ratios(rate[_GATEWAY], rate[_CONSTANT]),
            unit="x",
            target=at_least(0.85),
            note=f"all on one core; processor's time {median(ratios(cpu[_CONSTANT], cpu[_GATEWAY])):.2f} x",
        ),
        *(Row.of_rounds("", f"requests, {name}", rate[name], unit="/s") for name in rate),
        *(Row.of_rounds("", f"processor's time of all, {name}", cpu[name], unit="µs") for name in cpu),
    ]
