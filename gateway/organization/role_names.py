"""Roles as people write them: in full, or by the word that tells them apart."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from gateway.models import OrganizationRole, WorkspaceRole

_Role = TypeVar("_Role", bound=StrEnum)


def parse_organization_role(text: str) -> OrganizationRole:
    """Read `Organization Admin`, `admin` or `ORGANIZATION_ADMIN`. Raise ValueError with the names."""
    return _parse(text, OrganizationRole)


def parse_workspace_role(text: str) -> WorkspaceRole:
    """Read `Editor`, however it is capitalised. Raise ValueError with the names."""
    return _parse(text, WorkspaceRole)


def _parse(text: str, roles: type[_Role]) -> _Role:
    written = _plain(text)
    for role in roles:
        name = _plain(role.value)
        if written in {name, name.rpartition(" ")[2]}:
            return role
    message = f"There is no such role: choose {', '.join(role.value for role in roles)}."
    raise ValueError(message)


def _plain(text: str) -> str:
    return text.strip().replace("_", " ").casefold()
