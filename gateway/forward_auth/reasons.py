"""Why a rule does not cover a request, and what somebody could do to pass: in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from gateway.forward_auth.original_request import OriginalRequest
from gateway.forward_auth.presented import Presented
from gateway.forward_auth.rules import Criterion, Located, Place, Requirement
from gateway.grammar.subjects import SubjectKind
from gateway.models import Principal


def reason(criterion: Criterion, located: Located, *, place: Place, presented: Presented) -> str:
    """Say why a criterion does not hold."""
    rule = located.rule
    match criterion:
        case Criterion.DOMAIN:
            hosts = [*map(str, rule.hosts), *(pattern.pattern.removeprefix("(?i)") for pattern in rule.host_patterns)]
            text = f"{place.host} is not {_either(hosts)}"
        case Criterion.METHODS:
            text = f"{place.method} is not {_either(sorted(rule.methods))}"
        case Criterion.RESOURCES:
            text = f"{place.path} does not match {_either(pattern.pattern for pattern in rule.resources)}"
        case Criterion.PATH:
            text = f"{place.path} does not match {_either(glob.text for glob in rule.globs)}"
        case Criterion.NETWORKS:
            address = presented.client_address
            text = f"{address or 'an unknown address'} is not in {_either(map(str, rule.networks))}"
        case Criterion.QUERY:
            text = f"the query does not have {_wanted_query(located)}"
        case Criterion.CREDENTIALS:
            text = f"what is presented is not {_either(sorted(rule.kinds or ()))}"
        case Criterion.SUBJECT:
            credential = located.credential(presented)
            asks_role = any(subject.kind is SubjectKind.ROLE for subjects in rule.subjects for subject in subjects)
            called = _called(credential.principal if credential else None, with_role=asks_role)
            text = f"{called} is not {_wanted_visitor(located)}"
        case _:
            assert_never(criterion)
    return text


def way_through(criterion: Criterion, located: Located) -> str | None:
    """Say what would make a rule cover the same request, if that is for the visitor to change."""
    match criterion:
        case Criterion.SUBJECT:
            return f"as {_wanted_visitor(located)}"
        case Criterion.NETWORKS:
            return f"from {_either(map(str, located.rule.networks))}"
        case Criterion.QUERY:
            return f"with {_wanted_query(located)} in the query"
        case _:
            return None


def login_wanted(located: Located | None, requirement: Requirement) -> str:
    """Say which login a rule (or, without one, the default policy) asks for."""
    factor = " with a second factor" if requirement is Requirement.SECOND_FACTOR else ""
    if located is None:
        return f"a login{factor}"
    kinds = f" by {_either(sorted(located.rule.kinds))}" if located.rule.kinds else ""
    who = ""
    if located.asks_who:
        who = f" as {'anybody but ' if not located.rule.opens else ''}{_wanted_visitor(located)}"
    return f"a login{who}{factor}{kinds}"


def scope_wanted(original: OriginalRequest) -> str:
    return f"an API key whose scope covers {original.method} {original.host}{' and '.join(original.readings)}"


def _wanted_visitor(located: Located) -> str:
    named = (" and ".join(map(str, subjects)) for subjects in located.rule.subjects)
    bound = [
        _either(
            " and ".join(
                f"{kind}:{name}" for kind, name in (("user", claim.user), ("group", claim.group)) if name is not None
            )
            for claim in claims
        )
        for claims in located.claims
    ]
    return " and ".join(filter(None, [_either(named), *bound]))


def _wanted_query(located: Located) -> str:
    words = (
        " and ".join(
            " ".join(filter(None, [condition.key, condition.operator.value, condition.value]))
            for condition in conditions
        )
        for conditions in located.rule.query
    )
    return _either(words)


def _called(principal: Principal | None, *, with_role: bool) -> str:
    if principal is None:
        return "nobody"
    name = f"service:{principal.name}" if principal.is_service else principal.username or principal.email
    groups = f"in {', '.join(principal.groups)}" if principal.groups else "in no group"
    known = f"{principal.role.value}, {groups}" if with_role else groups
    return f"{name} ({known})" if name else f"somebody {known}"


def _either(words: Iterable[str]) -> str:
    return " or ".join(words)
