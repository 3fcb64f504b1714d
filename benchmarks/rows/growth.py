"""P7: what a warm check costs when there is much more of everything: sessions, keys, rules, groups.

Of each kind a small gateway and a large one take turns; what is compared is the processor's time for a check. All
credentials that are asked with are remembered. How many there are is one question; how many of them are in use at once
is another, and harder: as many then go round as the cache holds by default, further apart in memory than a processor's
caches reach, and the last use of each is written.
"""

from __future__ import annotations

from collections.abc import Callable
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
# As in every row of a warm check.
_GO_ROUND = 1000
_SESSIONS = Amounts(sessions=_GO_ROUND)


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
    """Two sizes of one kind. `fall`: by how many per cent less a core may do; `None`: that is only stated."""

    small: Size
    large: Size
    fall: int | None = _FALL


def growths() -> tuple[Growth, ...]:
    """Give what grows, in the order of the table."""
    few_sessions = Size("1,000 sessions", _SESSIONS, _GO_ROUND)
    million = Amounts(members=10_000, sessions=1_000_000)
    few_keys = Size("100 API keys", Amounts(api_keys=100), 100, by_api_key=True)
    keys = Amounts(members=10_000, api_keys=100_000)
    return (
        Growth(few_sessions, Size("1,000,000 sessions", million, _GO_ROUND)),
        Growth(few_sessions, Size("1,000,000 sessions, 100,000 of them in use", million, _REMEMBERED), None),
        Growth(few_keys, Size("100,000 API keys", keys, _GO_ROUND, by_api_key=True)),
        Growth(few_keys, Size("100,000 API keys, all in use", keys, _REMEMBERED, by_api_key=True), None),
        Growth(
            Size("1 rule", _SESSIONS, _GO_ROUND, rules=rules_before_the_last(0)),
            Size("1,000 rules", _SESSIONS, _GO_ROUND, rules=rules_before_the_last(999)),
            _FALL_WITH_RULES,
        ),
        Growth(
            Size("1 group per person", Amounts(sessions=_GO_ROUND, groups_per_member=1), _GO_ROUND),
            Size("200 groups per person", Amounts(sessions=_GO_ROUND, groups_per_member=200), _GO_ROUND),
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
    return [_measure(bench, growth) for growth in growths()]


def _measure(bench: Bench, growth: Growth) -> Row:
    sizes = growth.small, growth.large
    with ExitStack() as stack:
        loads = {size.name: _load(bench, stack, size) for size in sizes}
        for name, load in loads.items():
            bench.progress.say(f"asking once with each: {name}")
            every = range(max(len(load.checks.credentials), len(load.checks.places)))
            ask_each_once(load.port, load.checks, every, bench.progress)
        measured = take_turns(bench, loads)
    small, large = ([one.cpu_us for one in measured[size.name]] for size in sizes)
    return Row.of_rounds(
        "P7",
        f"{growth.small.name} → {growth.large.name}: a core does so much less",
        [(1 - one / other) * 100 for one, other in zip(small, large, strict=True)],
        unit="%",
        target=None if growth.fall is None else below(growth.fall, "%"),
        note=f"{median(small):.1f} → {median(large):.1f} µs",
    )


def _load(bench: Bench, stack: ExitStack, size: Size) -> Loaded:
    bench.progress.say(f"preparing a gateway with {size.name}")
    gateway = stack.enter_context(running_gateway(bench, size.amounts, rules=size.rules))
    return Loaded.by(bench, size.checks(gateway), port=gateway.port, cpu_seconds=gateway.cpu_seconds)
