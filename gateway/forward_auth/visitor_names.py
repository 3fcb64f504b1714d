"""Is this visitor the one that a rule speaks about?"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import assert_never

from gateway.grammar.claims import Claim
from gateway.grammar.group_names import canonical_group_name
from gateway.grammar.subjects import Subject, SubjectKind
from gateway.models import Principal


def is_subject(principal: Principal, alternatives: Sequence[Sequence[Subject]]) -> bool:
    """Say whether all subjects of one alternative are the principal."""
    return any(all(_is(principal, subject) for subject in subjects) for subjects in alternatives)


def fits_claims(principal: Principal, claims: Sequence[Claim]) -> bool:
    """Say whether the names in one of the claims are the principal's own."""
    return any(
        (claim.user is None or _is_called(principal, claim.user))
        and (claim.group is None or _is_in_group(principal, canonical_group_name(claim.group)))
        for claim in claims
    )


def _is(principal: Principal, subject: Subject) -> bool:
    match subject.kind:
        case SubjectKind.USER:
            return _is_called(principal, subject.name)
        case SubjectKind.GROUP:
            return _is_in_group(principal, _canonical_subject(subject.name))
        case SubjectKind.ROLE:
            return principal.role.value == subject.name
        case SubjectKind.SERVICE:
            return _is_service(principal, subject.name)
        case _:
            assert_never(subject.kind)


def _is_called(principal: Principal, name: str) -> bool:
    """Compare with username and e-mail address; neither has an own upper case. Service accounts have neither."""
    own = {given.casefold() for given in (principal.username, principal.email) if given}
    return name.casefold() in own


def _is_service(principal: Principal, name: str) -> bool:
    # As with groups, no two of them read alike.
    return principal.is_service and canonical_group_name(principal.name) == canonical_group_name(name)


def _is_in_group(principal: Principal, canonical_name: str) -> bool:
    # Groups that read alike cannot exist beside each other, so nobody gets in by another's name.
    return canonical_name in _canonical_names(principal.groups)


# Many people are in the same groups, and checks are many more.
@lru_cache(maxsize=1024)
def _canonical_names(groups: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(canonical_group_name, groups))


# Of rules only: what a visitor writes is not remembered.
@lru_cache(maxsize=1024)
def _canonical_subject(name: str) -> str:
    return canonical_group_name(name)
