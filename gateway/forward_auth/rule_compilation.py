"""Rules as they are written → rules as they are evaluated."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.config.query_conditions import QueryCondition, QueryOperator
from gateway.config.settings import RuleSettings
from gateway.forward_auth.patterns import compile_glob, compile_pattern
from gateway.forward_auth.query import Condition
from gateway.forward_auth.rules import Requirement, Rule
from gateway.models import CredentialKind

REQUIREMENTS: Mapping[str, Requirement] = {
    "bypass": Requirement.NOTHING,
    "one_factor": Requirement.LOGIN,
    "two_factor": Requirement.SECOND_FACTOR,
    "deny": Requirement.NOBODY,
}


def compile_rule(rule: RuleSettings, number: int) -> Rule:
    """Compile a rule once; `number` counts from 1 and names it where it has no name."""
    return Rule(
        name=rule.name or f"rule {number}",
        requirement=REQUIREMENTS[rule.policy],
        hosts=rule.domain,
        # Hosts have no case: a pattern with a capital must not miss them.
        host_patterns=tuple(compile_pattern(source, ignore_case=True) for source in rule.domain_regex),
        methods=frozenset(rule.methods),
        resources=tuple(map(compile_pattern, rule.resources)),
        globs=tuple(compile_glob(glob, ignore_case=rule.ignore_case) for glob in rule.path),
        networks=rule.networks,
        subjects=rule.subject,
        query=tuple(tuple(map(_condition, conditions)) for conditions in rule.query),
        kinds=frozenset(map(CredentialKind, rule.credentials)) or None,
        allow_preflight=rule.allow_preflight,
    )


def _condition(condition: QueryCondition) -> Condition:
    operator, value = condition.effective_operator, condition.value or ""
    with_pattern = operator in {QueryOperator.PATTERN, QueryOperator.NOT_PATTERN}
    return Condition(operator, condition.key, value, compile_pattern(value) if with_pattern else None)
