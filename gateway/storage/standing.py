"""What somebody is in the organization: role, workspaces, groups. Read once for each credential that is recognised."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, Table, and_, bindparam, case, func, literal, or_, select, true

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
from gateway.storage.asyncio_engine import AsyncConnection
from gateway.storage.json_rows import JsonRows
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
_WORKSPACE = (workspaces.c.id, workspaces.c.display_name, workspaces.c.created_at)
# What no name can hold, so that no group is taken for two others. No service account is in one.
_BETWEEN_NAMES = "\n"
# Written in the statement: SQLite would be handed it with each question.
_ADMIN = literal(OrganizationRole.ADMIN.value, literal_execute=True)
_ADMIN_THERE = literal(WorkspaceRole.ADMIN.value, literal_execute=True)
# Most people are what many others are as well: the facts of all of them share what is equal.
_SHARED = 2048
# Characters, of some eight memberships: whoever is in more shares single ones only, for many who differ would be too
# much to remember.
_SHARED_MEMBERSHIPS_LENGTH = 1200
_SHARED_NAMES_LENGTH = 400


def group_names_of(account_id: ColumnElement[str]) -> ScalarSelect[str]:
    return (
        select(func.aggregate_strings(groups.c.name, _BETWEEN_NAMES))
        .select_from(group_members.join(groups, groups.c.id == group_members.c.group_id))
        .where(group_members.c.account_id == account_id)
        .scalar_subquery()
    )


def memberships_of(account_id: ColumnElement[str]) -> ScalarSelect[str]:
    """Select the workspaces that an account is in; as with every other selection of them, `standing_of` reads it."""
    return _memberships_in(workspace_members, workspace_members.c.account_id == account_id)


def service_memberships_of(service_account_id: ColumnElement[str]) -> ScalarSelect[str]:
    return _memberships_in(service_memberships, service_memberships.c.service_account_id == service_account_id)


def _memberships_in(members: Table, own: ColumnElement[bool]) -> ScalarSelect[str]:
    return (
        select(JsonRows(*_WORKSPACE, members.c.role))
        .select_from(members.join(workspaces, workspaces.c.id == members.c.workspace_id))
        .where(own)
        .scalar_subquery()
    )


def every_workspace_if(role: ColumnElement[str], *, otherwise: ColumnElement[str]) -> ColumnElement[str]:
    """Select what somebody is in: an Organization Admin is an admin of every workspace, in it or not."""
    every = select(JsonRows(*_WORKSPACE, _ADMIN_THERE)).where(workspaces.c.organization_id == organizations.c.id)
    return case((role == _ADMIN, every.scalar_subquery()), else_=otherwise)


_WANTED: ColumnElement[str] = bindparam("wanted")
_ROLE: ColumnElement[str] = bindparam("role")
_OF_ACCOUNT, _OF_SERVICE_ACCOUNT = (
    select(
        *ORGANIZATION,
        group_names_of(_WANTED).label("group_names"),
        every_workspace_if(_ROLE, otherwise=own(_WANTED)).label("memberships"),
    )
    for own in (memberships_of, service_memberships_of)
)
_IS_ADMIN = service_accounts.c.role == OrganizationRole.ADMIN
_OF_EVERY_SERVICE_ACCOUNT = (
    select(
        service_accounts.c.id.label("service_account_id"),
        *_WORKSPACE,
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
    statement = _OF_ACCOUNT if isinstance(owner, Account) else _OF_SERVICE_ACCOUNT
    row = (await connection.execute(statement, {"wanted": owner.id, "role": owner.role.value})).first()
    return None if row is None else standing_of(row)


async def list_service_memberships(connection: AsyncConnection) -> dict[str, tuple[Membership, ...]]:
    """Give the workspaces of every service account that has some, by its id: as `find_standing` does for one."""
    found: dict[str, list[Membership]] = defaultdict(list)
    for row in await connection.execute(_OF_EVERY_SERVICE_ACCOUNT):
        found[row.service_account_id].append(_membership(row.id, row.display_name, row.created_at, row.role))
    return {service_account_id: tuple(memberships) for service_account_id, memberships in found.items()}


def standing_of(row: Any) -> Standing | None:  # noqa: ANN401 - of any statement
    """Give what a row says of organization, workspaces and groups; `None` where there is no organization yet."""
    if row.organization_id is None:
        return None
    many = len(row.memberships or "") > _SHARED_MEMBERSHIPS_LENGTH or len(row.group_names or "") > _SHARED_NAMES_LENGTH
    make = _standing.__wrapped__ if many else _standing
    return make(row.organization_id, row.organization_name, row.auth_mode, row.group_names, row.memberships)


@lru_cache(_SHARED)
def _standing(
    organization_id: str, organization_name: str, auth_mode: str, group_names: str | None, memberships: str | None
) -> Standing:
    read = [
        _membership(workspace_id, name, _moment(created_at), role)
        for workspace_id, name, created_at, role in json.loads(memberships or "[]")
    ]
    return Standing(
        organization=_organization(organization_id, organization_name, AuthMode(auth_mode)),
        # As OLDEST_FIRST.
        memberships=tuple(sorted(read, key=lambda one: (one.workspace.created_at, one.workspace.id))),
        groups=tuple(sorted(group_names.split(_BETWEEN_NAMES))) if group_names else (),
    )


def _moment(text: str) -> datetime:
    """Read what each engine makes of a `UtcDateTime` in JSON: SQLite leaves the zone away, PostgreSQL gives its own."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


@lru_cache(_SHARED)
def _membership(workspace_id: str, name: str, created_at: datetime, role: str) -> Membership:
    return Membership(_workspace(workspace_id, name, created_at), WorkspaceRole(role))


_organization = lru_cache(_SHARED)(Organization)
_workspace = lru_cache(_SHARED)(Workspace)
