"""Whom a rule speaks about: `user:alice`, `group:admins`, `role:admin`, `service:nightly`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

# The organization roles by their short names; rules may have them in full, in any letter case.
ROLES = {
    "admin": "Organization Admin",
    "operator": "Organization Operator",
    "user": "Organization User",
    "viewer": "Organization Viewer",
}
_WORDS = {word: role for short, role in ROLES.items() for word in (short, role.lower())}


class SubjectKind(StrEnum):
    USER = "user"
    GROUP = "group"
    ROLE = "role"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Subject:
    """One person, by username or e-mail address; one service account; or everybody in a group or of a role."""

    kind: SubjectKind
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


def parse_subject(text: str) -> Subject:
    """Read `user:NAME`, `group:NAME`, `role:ROLE` or `service:NAME`; raise ValueError with the cure for anything else.

    A role becomes its full name, however it is written.
    """
    kind, colon, name = text.partition(":")
    if kind == "oauth2" and colon:
        message = "oauth2: is not supported, since no client logs in here: write user: or group:"
        raise ValueError(message)
    if kind not in set(SubjectKind) or not colon or not name.strip() or name != name.strip():
        message = "write user:NAME (a username or an e-mail address), group:NAME, role:ROLE or service:NAME"
        raise ValueError(message)
    return Subject(SubjectKind(kind), _role(name) if kind == SubjectKind.ROLE else name)


def parse_visitor(text: str) -> Subject:
    """Read a subject, or the bare name of a person: neither a username nor an e-mail address holds a colon."""
    return parse_subject(text) if ":" in text else Subject(SubjectKind.USER, text)


def require_one_visitor(subjects: Sequence[Subject]) -> None:
    """Raise ValueError unless one visitor could be all of these."""
    kinds = [subject.kind for subject in subjects]
    if kinds.count(SubjectKind.USER) + kinds.count(SubjectKind.SERVICE) > 1:
        message = "names two people, and a request has one visitor"
        raise ValueError(message)
    if kinds.count(SubjectKind.ROLE) > 1:
        message = "names two roles, and everybody has one"
        raise ValueError(message)
    if SubjectKind.SERVICE in kinds and SubjectKind.GROUP in kinds:
        message = "names a group, and no service account is in one"
        raise ValueError(message)


def _role(name: str) -> str:
    try:
        return _WORDS[name.lower()]
    except KeyError:
        message = f"there is no role {name}: write {', '.join(ROLES)}, or the name in full, such as {ROLES['admin']}"
        raise ValueError(message) from None
