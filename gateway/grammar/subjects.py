"""Whom a rule speaks about: `user:alice`, `group:admins`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

_LATER = {"role", "service"}


class SubjectKind(StrEnum):
    USER = "user"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class Subject:
    """One person, by username or e-mail address, or everybody in one group."""

    kind: SubjectKind
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


def parse_subject(text: str) -> Subject:
    """Read `user:NAME` or `group:NAME`; raise ValueError with the cure for anything else."""
    kind, colon, name = text.partition(":")
    if kind in _LATER and colon:
        message = f"{kind}: is not yet in this version: write user: or group:"
        raise ValueError(message)
    if kind == "oauth2" and colon:
        message = "oauth2: is not supported, since no client logs in here: write user: or group:"
        raise ValueError(message)
    if kind not in set(SubjectKind) or not colon or not name.strip() or name != name.strip():
        message = "write user:NAME (a username or an e-mail address) or group:NAME"
        raise ValueError(message)
    return Subject(SubjectKind(kind), name)
