"""What may a role do? One table: the guards of the routes read it, and `docs/organization.md` shows it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from gateway.errors import NotFound, PermissionDenied
from gateway.models import OrganizationRole, Principal, WorkspaceRole

_ADMIN, _OPERATOR = OrganizationRole.ADMIN, OrganizationRole.OPERATOR
_USER, _VIEWER = OrganizationRole.USER, OrganizationRole.VIEWER


class Permission(StrEnum):
    """Something that a route asks for."""

    ORGANIZATION_READ = "organization:read"
    ORGANIZATION_MANAGE = "organization:manage"
    MEMBERS_READ = "members:read"
    MEMBERS_INVITE = "members:invite"
    MEMBERS_MANAGE = "members:manage"
    WORKSPACES_CREATE = "workspaces:create"
    WORKSPACES_DELETE = "workspaces:delete"
    WORKSPACE_READ = "workspace:read"
    WORKSPACE_MANAGE = "workspace:manage"
    GROUPS_READ = "groups:read"
    GROUPS_MANAGE = "groups:manage"
    SERVICE_ACCOUNTS_READ = "service-accounts:read"
    SERVICE_ACCOUNTS_MANAGE = "service-accounts:manage"
    API_KEYS_CREATE = "api-keys:create"
    AUDIT_READ = "audit:read"


# Who has it in the whole organization.
ORGANIZATION_PERMISSIONS: Mapping[Permission, frozenset[OrganizationRole]] = {
    Permission.ORGANIZATION_READ: frozenset({_ADMIN, _OPERATOR, _USER, _VIEWER}),
    Permission.ORGANIZATION_MANAGE: frozenset({_ADMIN}),
    Permission.MEMBERS_READ: frozenset({_ADMIN, _OPERATOR}),
    Permission.MEMBERS_INVITE: frozenset({_ADMIN, _OPERATOR}),
    Permission.MEMBERS_MANAGE: frozenset({_ADMIN}),
    Permission.WORKSPACES_CREATE: frozenset({_ADMIN, _OPERATOR}),
    Permission.WORKSPACES_DELETE: frozenset({_ADMIN}),
    Permission.GROUPS_READ: frozenset({_ADMIN, _OPERATOR}),
    Permission.GROUPS_MANAGE: frozenset({_ADMIN}),
    Permission.SERVICE_ACCOUNTS_READ: frozenset({_ADMIN, _OPERATOR}),
    Permission.SERVICE_ACCOUNTS_MANAGE: frozenset({_ADMIN}),
    Permission.API_KEYS_CREATE: frozenset({_ADMIN, _OPERATOR, _USER}),
    Permission.AUDIT_READ: frozenset({_ADMIN}),
}
# Who has it in one workspace, by the role there; an Organization Admin is an admin of every workspace.
WORKSPACE_PERMISSIONS: Mapping[Permission, frozenset[WorkspaceRole]] = {
    Permission.WORKSPACE_READ: frozenset({WorkspaceRole.ADMIN, WorkspaceRole.EDITOR, WorkspaceRole.VIEWER}),
    Permission.WORKSPACE_MANAGE: frozenset({WorkspaceRole.ADMIN}),
}


def require_permission(principal: Principal, permission: Permission, *, workspace_id: str | None = None) -> None:
    """Raise `PermissionDenied` unless the role gives it.

    Of a workspace that the principal is not in nothing is told: it is not there (`NotFound`).
    """
    if permission in ORGANIZATION_PERMISSIONS:
        allowed = principal.role in ORGANIZATION_PERMISSIONS[permission]
    else:
        membership = principal.standing.membership_in(workspace_id)
        if membership is None:
            message = "You are in no such workspace."
            raise NotFound(message)
        allowed = membership.role in WORKSPACE_PERMISSIONS[permission]
    if not allowed:
        message = f"Your role does not allow this: it takes the permission {permission}."
        raise PermissionDenied(message)


def require_grantable(asker: Principal | None, role: OrganizationRole) -> None:
    """Raise `PermissionDenied` where somebody would give away more than they have; `None` asks at the shell."""
    if asker is not None and asker.role is not _ADMIN and role in {_ADMIN, _OPERATOR}:
        message = f"Only an Organization Admin can give the role {role}."
        raise PermissionDenied(message)
