"""P7: what a warm check costs when there is much more of everything: sessions, keys, rules, groups.

Of each kind a small gateway and a large one take turns; what is compared is the processor's time for a check. All
credentials that are asked with are remembered: in the large case as many go round as the cache holds by default, and
they lie further apart in memory than a processor's caches reach.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

from benchmarks.bench import Bench, take_turns
from benchmarks.checks import Checks, with_api_keys, with_sessions
from benchmarks.gateway import THREE_RULES, RunningGateway, running_gateway
from benchmarks.once import ask_each_once
from benchmarks.preload import Amounts
from benchmarks.row import Row, below
from benchmarks.wrk import Loaded

# The default of `facts.max_entries`.
_REMEMBERED = 100_000
_FALL = 10
_FALL_WITH_RULES = 30
_SESSIONS = Amounts(sessions=1000)


@dataclass(frozen=True, slots=True)
class Size:
    """A gateway with so much of something, and with how many of its credentials it is asked."""

    name: str
    amounts: Amounts
    asked_with: int
    rules: str = THREE_RULES
    by_api_key: bool = False

    def checks(self, gateway: RunningGateway) -> Checks:
        made = gateway.credentials
        if self.by_api_key:
            return with_api_keys(made.api_keys[: self.asked_with])
        return with_sessions(made.sessions[: self.asked_with], cookie_name=gateway.settings.session_cookie_name)


@dataclass(frozen=True, slots=True)
class Growth:
    """Sizes of one kind, the smallest first; each other one is compared with it."""

    sizes: tuple[Size, ...]
    fall: int = _FALL


def growths() -> tuple[Growth, ...]:
    """Give what grows, in the order of the table."""
    million = Amounts(members=10_000, sessions=1_000_000)
    keys = Amounts(members=10_000, api_keys=100_000)
    return (
        Growth(
            (
                Size("1,000 sessions", _SESSIONS, 1000),
                Size("1,000,000 sessions, 100,000 of them in use", million, _REMEMBERED),
            )
        ),
        Growth(
            (
                Size("100 API keys", Amounts(api_keys=100), 100, by_api_key=True),
                Size("100,000 API keys, all in use", keys, _REMEMBERED, by_api_key=True),
            )
        ),
        Growth(
            (
                Size("1 rule", _SESSIONS, 1000, rules=rules_before_the_last(0)),
                Size("1,000 rules", _SESSIONS, 1000, rules=rules_before_the_last(999)),
            ),
            _FALL_WITH_RULES,
        ),
        Growth(
            (
                Size("1 group per person", Amounts(sessions=1000, groups_per_member=1), 1000),
                Size("200 groups per person", Amounts(sessions=1000, groups_per_member=200), 1000),
            )
        ),
    )


def rules_before_the_last(amount: int) -> str:
    """Write so many rules for other hosts and paths, for other people and by pattern, before the one that decides."""
    kinds: tuple[Callable[[int], str], ...] = (
        lambda number: f"domain: service{number}.example.com, policy: one_factor",
        lambda number: f'domain: "*.example.com", path: ["/area{number}/**"], policy: deny',
        lambda number: f"domain: service{number}.example.com, resources: ['^/zone/[0-9]+$'], policy: two_factor",
        lambda number: f'domain: tool{number}.example.com, subject: "group:team{number}", policy: one_factor',
    )
    rules = [f"{{{kinds[number % len(kinds)](number)}}}" for number in range(amount)]
    lines = [f"    - {rule}" for rule in [*rules, '{domain: "*.example.com", policy: one_factor}']]
    return "\n".join(["access_control:", "  default_policy: deny", "  rules:", *lines, ""])


def measure(bench: Bench) -> list[Row]:
    """Measure one kind after another: the gateways of one are gone before the next."""
    return [row for growth in growths() for row in _measure(bench, growth)]


def _measure(bench: Bench, growth: Growth) -> list[Row]:
    with ExitStack() as stack:
        loads = {size.name: _load(bench, stack, size) for size in growth.sizes}
        for name, load in loads.items():
            bench.progress.say(f"asking once with each: {name}")
            every = range(max(len(load.checks.credentials), len(load.checks.places)))
            ask_each_once(load.port, load.checks, every, bench.progress)
        measured = take_turns(bench, loads)
    small, *others = loads
    cost = {name: [one.cpu_us for one in rounds] for name, rounds in measured.items()}
    return [_row(small, cost[small], name, cost[name], growth.fall) for name in others]


def _row(small: str, least: Sequence[float], large: str, most: Sequence[float], fall: int) -> Row:
    falls = [(1 - one / other) * 100 for one, other in zip(least, most, strict=True)]
    return Row.of_rounds(
        "P7",
        f"{small} → {large}: a core does so much less",
        falls,
        unit="%",
        target=below(fall, "%"),
        note=f"{median(least):.1f} → {median(most):.1f} µs",
    )


def _load(bench: Bench, stack: ExitStack, size: Size) -> Loaded:
    bench.progress.say(f"preparing a gateway with {size.name}")
    gateway = stack.enter_context(running_gateway(bench, size.amounts, rules=size.rules))
    return Loaded.by(bench, size.checks(gateway), port=gateway.port, cpu_seconds=gateway.cpu_seconds)
