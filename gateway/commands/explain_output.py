"""How `gateway explain` says it: as text for people, as JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gateway.forward_auth.explanation import Explanation, RuleReport
from gateway.forward_auth.hypothetical import Visitor
from gateway.forward_auth.original_request import OriginalRequest
from gateway.forward_auth.policy import DEFAULT, Decision, Outcome
from gateway.forward_auth.rules import Requirement

_POLICIES = {
    Requirement.NOTHING: "bypass",
    Requirement.LOGIN: "one_factor",
    Requirement.SECOND_FACTOR: "two_factor",
    Requirement.NOBODY: "deny",
}
_VERDICTS = {
    Outcome.ALLOW: "passes",
    Outcome.LOG_IN: "is asked to log in",
    Outcome.SECOND_FACTOR: "needs a second factor",
    Outcome.OUT_OF_SCOPE: "is refused: the key's scope does not cover it",
    Outcome.FORBID: "is refused",
}
_CODES = {
    Outcome.ALLOW: "allow",
    Outcome.LOG_IN: "login",
    Outcome.SECOND_FACTOR: "second_factor",
    Outcome.OUT_OF_SCOPE: "insufficient_scope",
    Outcome.FORBID: "deny",
}
_MALFORMED = "malformed_request"
_CURE = "a URL has http or https, a host and a path; escapes are complete, UTF-8, and hide no control characters"


def as_text(explanation: Explanation, original: OriginalRequest, visitor: Visitor, remark: str) -> str:
    """Write it for people: the verdict first, then the rules, then what would have passed."""
    return "\n".join(_lines(explanation, original, visitor, remark))


def malformed_as_text(method: str, url: str) -> str:
    return f"{method} {url}\n{_VERDICTS[Outcome.FORBID]} before any rule: {_MALFORMED} ({_CURE})"


def _lines(explanation: Explanation, original: OriginalRequest, visitor: Visitor, remark: str) -> Iterator[str]:
    yield f"{original.method} {original.url}"
    yield f"by {_described(visitor)}" + (f" ({remark})" if remark else "")
    yield f"{_VERDICTS[explanation.decision.outcome]}: {_decided_by(explanation.decision)}"
    if len(original.readings) > 1:
        yield f"the path can be read in {len(original.readings)} ways, and {explanation.deciding.place.path} is judged"
    yield ""
    width = max([len(DEFAULT), *(len(rule.name) for rule in explanation.rules)])
    for rule in explanation.rules:
        mark = "→" if rule.decides else " "
        yield f"{mark} {rule.index:>3}  {rule.name:{width}}  {_POLICIES[rule.requirement]:10}  {_fate(rule)}".rstrip()
    mark = "→" if explanation.decision.rule == DEFAULT else " "
    yield f"{mark}      {DEFAULT:{width}}  {_POLICIES[explanation.default]}"
    if explanation.decision.outcome is not Outcome.ALLOW:
        yield ""
        yield from _what_would_pass(explanation.would_pass)


def _what_would_pass(ways: tuple[str, ...]) -> Iterator[str]:
    if not ways:
        yield "Nothing would have passed: this is closed to everybody."
        return
    yield "This would have passed:"
    yield from (f"  {way}" for way in ways)


def _fate(rule: RuleReport) -> str:
    if not rule.certain:
        return f"may cover it, for the query can be read in several ways{', and decides' if rule.decides else ''}"
    if rule.decides:
        return "covers it, and decides"
    if rule.covers:
        return "covers it, too late"
    return "; ".join(f"{mismatch.criterion}: {mismatch.reason}" for mismatch in rule.mismatches)


def _decided_by(decision: Decision) -> str:
    name = DEFAULT if decision.rule == DEFAULT else f"rule {decision.rule.removeprefix('rule ')}"
    return f"{name} says {_POLICIES[decision.requirement]}"


def _described(visitor: Visitor) -> str:
    where = f"from {visitor.client_address}" if visitor.client_address else "from an unknown address"
    if visitor.is_anonymous:
        return f"nobody we know, {where}"
    name = f"service:{visitor.service}" if visitor.service is not None else visitor.user or "somebody"
    groups = f" in {', '.join(visitor.groups)}" if visitor.groups else ""
    role = f" ({visitor.role.value})" if visitor.role else ""
    factors = {1: "one factor", 2: "two factors"}[visitor.level]
    return f"{name}{groups}{role}, {factors}, {visitor.credential.value}, {where}"


def as_json(explanation: Explanation, original: OriginalRequest, visitor: Visitor, remark: str) -> dict[str, Any]:
    """Give the same for programs."""
    return {
        "request": {"method": original.method, "url": original.url, "host": original.host},
        "visitor": {
            "user": visitor.user,
            "service": visitor.service,
            "role": visitor.role.value if visitor.role else None,
            "groups": list(visitor.groups),
            "factors": 0 if visitor.is_anonymous else visitor.level,
            "credential": None if visitor.is_anonymous else visitor.credential.value,
            "from": str(visitor.client_address) if visitor.client_address else None,
            "remark": remark or None,
        },
        "outcome": _CODES[explanation.decision.outcome],
        "decided_by": explanation.decision.rule,
        "policy": _POLICIES[explanation.decision.requirement],
        "path": explanation.deciding.place.path,
        "readings": [
            {
                "path": judgement.place.path,
                "outcome": _CODES[judgement.decision.outcome],
                "rule": judgement.decision.rule,
            }
            for judgement in explanation.judgements
        ],
        "rules": [_rule_as_json(rule) for rule in explanation.rules],
        "default_policy": _POLICIES[explanation.default],
        "would_pass": list(explanation.would_pass),
    }


def _rule_as_json(rule: RuleReport) -> dict[str, Any]:
    return {
        "index": rule.index,
        "name": rule.name,
        "policy": _POLICIES[rule.requirement],
        "matches": rule.covers,
        "certain": rule.certain,
        "decides": rule.decides,
        "mismatches": {mismatch.criterion.value: mismatch.reason for mismatch in rule.mismatches},
    }


def malformed_as_json(method: str, url: str) -> dict[str, Any]:
    return {
        "request": {"method": method, "url": url},
        "outcome": "deny",
        "decided_by": _MALFORMED,
        "rules": [],
        "would_pass": [_CURE],
    }
