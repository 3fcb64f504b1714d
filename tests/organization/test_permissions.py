"""The table of permissions: as documented, and as a function of the role alone."""

from __future__ import annotations

import re
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

import pytest

from gateway.errors import NotFound, PermissionDenied
from gateway.models import Membership, OrganizationRole, Principal, WorkspaceRole
from gateway.permissions import (
    ORGANIZATION_PERMISSIONS,
    WORKSPACE_PERMISSIONS,
    Permission,
    require_grantable,
    require_permission,
)
from tests.support.visitors import ADA, WORKSPACE

DOCUMENT = (Path(__file__).parents[2] / "docs" / "organization.md").read_text()


def _documented(roles: type[StrEnum], first: str) -> dict[str, set[str]]:
    """Read the table whose head begins so: each permission, with the roles that have it."""
    rows = re.findall(rf"^\| {first} \|.*\n\|[-|]+\n((?:\|.*\n)+)", DOCUMENT, re.MULTILINE)[0].splitlines()
    cells = ([cell.strip() for cell in row.split("|")[1:-1]] for row in rows)
    return {
        permission.strip("`"): {role.value for role, yes in zip(roles, answers, strict=True) if yes == "yes"}
        for permission, *answers in cells
    }


def _in_workspace(role: WorkspaceRole) -> Principal:
    return replace(ADA, standing=replace(ADA.standing, memberships=(Membership(WORKSPACE, role),)))


def test_documented_table_is_the_one_that_the_guards_read() -> None:
    of_organization = _documented(OrganizationRole, "permission")
    of_workspace = _documented(WorkspaceRole, "permission in a workspace")
    assert of_organization == {name.value: set(roles) for name, roles in ORGANIZATION_PERMISSIONS.items()}
    assert of_workspace == {name.value: set(roles) for name, roles in WORKSPACE_PERMISSIONS.items()}


def test_each_permission_stands_in_one_of_the_tables() -> None:
    assert ORGANIZATION_PERMISSIONS.keys() | WORKSPACE_PERMISSIONS.keys() == set(Permission)
    assert not ORGANIZATION_PERMISSIONS.keys() & WORKSPACE_PERMISSIONS.keys()


@pytest.mark.parametrize("role", OrganizationRole)
@pytest.mark.parametrize("permission", ORGANIZATION_PERMISSIONS)
def test_role_in_the_organization_decides(permission: Permission, role: OrganizationRole) -> None:
    asker = replace(ADA, role=role)
    if role in ORGANIZATION_PERMISSIONS[permission]:
        require_permission(asker, permission)
    else:
        with pytest.raises(PermissionDenied, match=permission):
            require_permission(asker, permission)


@pytest.mark.parametrize("role", WorkspaceRole)
@pytest.mark.parametrize("permission", WORKSPACE_PERMISSIONS)
def test_role_in_the_workspace_decides_about_it(permission: Permission, role: WorkspaceRole) -> None:
    asker = _in_workspace(role)
    if role in WORKSPACE_PERMISSIONS[permission]:
        require_permission(asker, permission, workspace_id=WORKSPACE.id)
    else:
        with pytest.raises(PermissionDenied):
            require_permission(asker, permission, workspace_id=WORKSPACE.id)


@pytest.mark.parametrize("workspace_id", [None, "", "11111111-1111-4111-8111-111111111112"])
def test_role_in_one_workspace_says_nothing_about_another(workspace_id: str | None) -> None:
    """Whether there is such a workspace is not told."""
    for permission in WORKSPACE_PERMISSIONS:
        with pytest.raises(NotFound):
            require_permission(_in_workspace(WorkspaceRole.ADMIN), permission, workspace_id=workspace_id)


@pytest.mark.parametrize("asker", OrganizationRole)
@pytest.mark.parametrize("role", OrganizationRole)
def test_only_an_admin_makes_admins_and_operators(asker: OrganizationRole, role: OrganizationRole) -> None:
    high = {OrganizationRole.ADMIN, OrganizationRole.OPERATOR}
    if asker is OrganizationRole.ADMIN or role not in high:
        require_grantable(replace(ADA, role=asker), role)
    else:
        with pytest.raises(PermissionDenied, match=role):
            require_grantable(replace(ADA, role=asker), role)


def test_whoever_is_at_the_shell_gives_any_role() -> None:
    require_grantable(None, OrganizationRole.ADMIN)
