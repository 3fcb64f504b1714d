"""What somebody is in the organization: role, workspaces, groups. Read once for each credential that is recognised."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Row, ScalarSelect, Select, and_, bindparam, case, func, literal, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.models import (
    Account,
    AuthMode,
    Membership,
    Organization,
    OrganizationRole,
    ServiceAccount,
    Standing,
    Workspace,
    WorkspaceRole,
)
from gateway.storage.tables import (
    group_members,
    groups,
    organizations,
    service_accounts,
    service_memberships,
    workspace_members,
    workspaces,
)
from gateway.storage.workspaces import OLDEST_FIRST

ORGANIZATION = (
    organizations.c.id.label("organization_id"),
    organizations.c.display_name.label("organization_name"),
    organizations.c.auth_mode,
)
WORKSPACE = (
    workspaces.c.id.label("workspace_id"),
    workspaces.c.display_name.label("workspace_name"),
    workspaces.c.created_at.label("workspace_created_at"),
)
# What no name can hold, so that no group is taken for two others. No service account is in one.
_BETWEEN_NAMES = "\n"
# Most people are what many others are as well: the facts of all of them share what is equal.
_SHARED = 2048
# Whoever is in more shares single memberships only: many who differ would be too much to remember.
_SHARED_MEMBERSHIPS = 8
_SHARED_NAMES_LENGTH = 400


def group_names_of(account_id: ColumnElement[str]) -> ScalarSelect[str]:
    return (
        select(func.aggregate_strings(groups.c.name, _BETWEEN_NAMES))
        .join(group_members, group_members.c.group_id == groups.c.id)
        .where(group_members.c.account_id == account_id)
        .scalar_subquery()
    )


_GROUP_NAMES = group_names_of(bindparam("wanted"))


def _select(role: ColumnElement[str]) -> Select[tuple[str, ...]]:
    return select(
        *ORGANIZATION,
        *WORKSPACE,
        role.label("role"),
        _GROUP_NAMES.label("group_names"),
    ).order_by(*OLDEST_FIRST)


# An Organization Admin is an admin of every workspace, in it or not.
_OF_ADMIN = _select(literal(WorkspaceRole.ADMIN.value)).select_from(
    organizations.outerjoin(workspaces, workspaces.c.organization_id == organizations.c.id)
)
_OF_ACCOUNT = _select(workspace_members.c.role).select_from(
    organizations.outerjoin(workspace_members, workspace_members.c.account_id == bindparam("wanted")).outerjoin(
        workspaces, workspaces.c.id == workspace_members.c.workspace_id
    )
)
_OF_SERVICE_ACCOUNT = _select(service_memberships.c.role).select_from(
    organizations.outerjoin(
        service_memberships, service_memberships.c.service_account_id == bindparam("wanted")
    ).outerjoin(workspaces, workspaces.c.id == service_memberships.c.workspace_id)
)
_IS_ADMIN = service_accounts.c.role == OrganizationRole.ADMIN
_OF_EVERY_SERVICE_ACCOUNT = (
    select(
        service_accounts.c.id.label("service_account_id"),
        *WORKSPACE,
        case((_IS_ADMIN, WorkspaceRole.ADMIN.value), else_=service_memberships.c.role).label("role"),
    )
    .select_from(service_accounts)
    .join(workspaces, true())
    .outerjoin(
        service_memberships,
        and_(
            service_memberships.c.workspace_id == workspaces.c.id,
            service_memberships.c.service_account_id == service_accounts.c.id,
        ),
    )
    .where(or_(_IS_ADMIN, service_memberships.c.role.is_not(None)))
    .order_by(*OLDEST_FIRST)
)


async def find_standing(connection: AsyncConnection, owner: Account | ServiceAccount) -> Standing | None:
    """Find what an account or a service account is; `None` where there is no organization yet."""
    if owner.role is OrganizationRole.ADMIN:
        statement = _OF_ADMIN
    else:
        statement = _OF_ACCOUNT if isinstance(owner, Account) else _OF_SERVICE_ACCOUNT
    rows = (await connection.execute(statement, {"wanted": owner.id})).all()
    if not rows:
        return None
    return standing_of(rows[0], tuple([_differing(row) for row in rows]))


async def list_service_memberships(connection: AsyncConnection) -> dict[str, tuple[Membership, ...]]:
    """Give the workspaces of every service account that has some, by its id: as `find_standing` does for one."""
    found: dict[str, list[Membership]] = defaultdict(list)
    for row in await connection.execute(_OF_EVERY_SERVICE_ACCOUNT):
        found[row.service_account_id].append(_membership(*_differing(row)))
    return {service_account_id: tuple(memberships) for service_account_id, memberships in found.items()}


def standing_of(row: Any, memberships: tuple[tuple[Any, ...], ...]) -> Standing | None:  # noqa: ANN401 - of any statement
    """Give what a row says of organization and groups, with the workspace and the role of each row."""
    if row.organization_id is None:
        return None
    many = len(memberships) > _SHARED_MEMBERSHIPS or len(row.group_names or "") > _SHARED_NAMES_LENGTH
    make = _standing.__wrapped__ if many else _standing
    return make(row.organization_id, row.organization_name, row.auth_mode, row.group_names, memberships)


def _differing(row: Row[*tuple[Any, ...]]) -> tuple[Any, ...]:
    return row.workspace_id, row.workspace_name, row.workspace_created_at, row.role


@lru_cache(_SHARED)
def _standing(
    organization_id: str,
    organization_name: str,
    auth_mode: str,
    group_names: str | None,
    memberships: tuple[tuple[Any, ...], ...],
) -> Standing:
    return Standing(
        organization=_organization(organization_id, organization_name, AuthMode(auth_mode)),
        memberships=tuple(_membership(*one) for one in memberships if one[0] is not None),
        groups=tuple(sorted(group_names.split(_BETWEEN_NAMES))) if group_names else (),
    )


@lru_cache(_SHARED)
def _membership(workspace_id: str, name: str, created_at: datetime, role: str) -> Membership:
    return Membership(_workspace(workspace_id, name, created_at), WorkspaceRole(role))


_organization = lru_cache(_SHARED)(Organization)
_workspace = lru_cache(_SHARED)(Workspace)
