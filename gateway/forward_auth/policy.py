"""Which principal may make which request: rules in order, the first that covers decides, default deny. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import re2

from gateway.forward_auth.original_request import OriginalRequest
from gateway.grammar.hosts import HostPattern
from gateway.models import Principal

if TYPE_CHECKING:
    from gateway.config.settings import AccessControl, RuleSettings


class Requirement(IntEnum):
    """What a rule asks of the principal, laxest first."""

    NOTHING = 0
    LOGIN = 1
    NOBODY = 3


class Outcome(IntEnum):
    """What becomes of the request; the greater one is the stricter one."""

    ALLOW = 0
    LOG_IN = 1
    FORBID = 2


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, and the rule that gave it."""

    outcome: Outcome
    requirement: Requirement
    rule: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One statement: which original requests it covers, and what it requires."""

    name: str
    hosts: tuple[HostPattern, ...]
    methods: frozenset[str]
    patterns: tuple[re2._Regexp[str], ...]
    globs: tuple[re2._Regexp[str], ...]
    requirement: Requirement

    def covers(self, original: OriginalRequest, path: str) -> bool:
        """Say whether this rule speaks about the request, read with this path."""
        return (
            (not self.methods or original.method in self.methods)
            and any(pattern.covers(original.host) for pattern in self.hosts)
            and (not self.patterns or any(pattern.search(path) for pattern in self.patterns))
            and (not self.globs or any(glob.fullmatch(path) for glob in self.globs))
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """All rules in order, and what holds where none covers."""

    rules: tuple[Rule, ...]
    default: Requirement

    def decide(self, principal: Principal | None, original: OriginalRequest) -> Decision:
        """Judge every reading of the path; the strictest decision stands."""
        decisions = (self._decide(principal, original, reading) for reading in original.readings)
        return max(decisions, key=lambda decision: decision.outcome)

    def _decide(self, principal: Principal | None, original: OriginalRequest, path: str) -> Decision:
        for rule in self.rules:
            if rule.covers(original, path):
                return Decision(_outcome(rule.requirement, principal), rule.requirement, rule.name)
        return Decision(_outcome(self.default, principal), self.default, "default_policy")


def compile_policy(access_control: AccessControl | None) -> Policy:
    """Compile the settings once. Without a section everyone who is logged in may pass, everywhere."""
    if access_control is None:
        return Policy(rules=(), default=Requirement.LOGIN)
    rules = tuple(_compile(rule, number) for number, rule in enumerate(access_control.rules, start=1))
    return Policy(rules=rules, default=_REQUIREMENTS[access_control.default_policy])


_REQUIREMENTS = {
    "bypass": Requirement.NOTHING,
    "one_factor": Requirement.LOGIN,
    "deny": Requirement.NOBODY,
}


def _compile(rule: RuleSettings, number: int) -> Rule:
    return Rule(
        name=rule.name or f"rule {number}",
        hosts=rule.domain,
        methods=frozenset(rule.methods),
        patterns=_patterns(rule.resources),
        globs=_patterns(map(_glob_pattern, rule.path)),
        requirement=_REQUIREMENTS[rule.policy],
    )


def _patterns(sources: Iterable[str]) -> tuple[re2._Regexp[str], ...]:
    # RE2 runs in linear time: no pattern of an operator can stall the check.
    return tuple(re2.compile(source) for source in sources)


def _glob_pattern(glob: str) -> str:
    """Translate a glob over the whole path: `**` crosses segments, `*` does not."""
    parts = re.split(r"(\*\*|\*)", glob)
    return "".join({"**": "(?s:.*)", "*": "[^/]*"}.get(part, re2.escape(part)) for part in parts)


def _outcome(requirement: Requirement, principal: Principal | None) -> Outcome:
    match requirement:
        case Requirement.NOTHING:
            return Outcome.ALLOW
        case Requirement.LOGIN:
            return Outcome.LOG_IN if principal is None or principal.level < Requirement.LOGIN else Outcome.ALLOW
        case Requirement.NOBODY:
            return Outcome.FORBID
