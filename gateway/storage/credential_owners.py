"""A credential, whose it is, and what that one is in the organization: in one statement, so of one moment."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, bindparam, func, literal, select, true, union_all

from gateway.models import Account, ApiKey, OrganizationRole, ServiceAccount, Session, Standing, WorkspaceRole
from gateway.storage.accounts import account_from_row
from gateway.storage.api_keys import api_key_from_row
from gateway.storage.prepared_reads import WANTED, Answer, PreparedRead
from gateway.storage.service_accounts import service_account_from_row
from gateway.storage.sessions import SESSION_COLUMNS, session_from_row
from gateway.storage.standing import ORGANIZATION, WORKSPACE, group_names_of, standing_of
from gateway.storage.tables import (
    accounts,
    api_keys,
    organizations,
    service_accounts,
    service_memberships,
    sessions,
    workspace_members,
    workspaces,
)

_WANTED: ColumnElement[Any] = bindparam(WANTED)
_ADMIN = literal(OrganizationRole.ADMIN.value, literal_execute=True)
_ADMIN_THERE = literal(WorkspaceRole.ADMIN.value, literal_execute=True)
# Workspace and role: what is left differs from row to row.
_DIFFERING = len(WORKSPACE) + 1


def _session(found: ColumnElement[bool]) -> PreparedRead:
    # The owner is looked up once more: a subquery that depends on nothing is asked once, and not for each workspace.
    owner = select(sessions.c.account_id).where(found).scalar_subquery()
    columns: tuple[Any, ...] = (accounts, *SESSION_COLUMNS, *ORGANIZATION, group_names_of(owner).label("group_names"))
    credential = sessions.join(accounts, accounts.c.id == sessions.c.account_id).outerjoin(organizations, true())
    memberships = credential.outerjoin(workspace_members, workspace_members.c.account_id == accounts.c.id)
    return _read(
        select(*columns, *WORKSPACE, workspace_members.c.role.label("role_there"))
        .select_from(memberships.outerjoin(workspaces, workspaces.c.id == workspace_members.c.workspace_id))
        .where(found, accounts.c.role != _ADMIN),
        _of_admin(*columns, credential=credential).where(found, accounts.c.role == _ADMIN),
    )


def _api_key(found: ColumnElement[bool]) -> PreparedRead:
    owner = select(api_keys.c.account_id).where(found).scalar_subquery()
    columns: tuple[Any, ...] = (
        *(column.label(f"api_key_{column.name}") for column in api_keys.c),
        accounts,
        *(column.label(f"service_{column.name}") for column in service_accounts.c),
        *ORGANIZATION,
        group_names_of(owner).label("group_names"),
    )
    credential = (
        api_keys.outerjoin(accounts, accounts.c.id == api_keys.c.account_id)
        .outerjoin(service_accounts, service_accounts.c.id == api_keys.c.service_account_id)
        .outerjoin(organizations, true())
    )
    person, service = workspace_members, service_memberships
    memberships = credential.outerjoin(person, person.c.account_id == accounts.c.id).outerjoin(
        service, service.c.service_account_id == service_accounts.c.id
    )
    of_either = workspaces.c.id == func.coalesce(person.c.workspace_id, service.c.workspace_id)
    role = func.coalesce(accounts.c.role, service_accounts.c.role)
    return _read(
        select(*columns, *WORKSPACE, func.coalesce(person.c.role, service.c.role).label("role_there"))
        .select_from(memberships.outerjoin(workspaces, of_either))
        .where(found, role != _ADMIN),
        _of_admin(*columns, credential=credential).where(found, role == _ADMIN),
    )


def _of_admin(*columns: Any, credential: FromClause) -> Select[Any]:  # noqa: ANN401 - columns and tables
    """Select every workspace: an Organization Admin is an admin of each, in it or not."""
    return select(*columns, *WORKSPACE, _ADMIN_THERE.label("role_there")).select_from(
        credential.outerjoin(workspaces, workspaces.c.organization_id == organizations.c.id)
    )


def _read(of_member: Select[Any], of_admin: Select[Any]) -> PreparedRead:
    # As OLDEST_FIRST. One of the two has rows: a join for either would look at every workspace for everybody.
    ordered = union_all(of_member, of_admin).order_by("workspace_created_at", "workspace_id")
    return PreparedRead(ordered, _DIFFERING)


SESSION_BY_DIGEST = _session(sessions.c.token_digest == _WANTED)
SESSION_BY_ID = _session(sessions.c.id == _WANTED)
# An index is enough: nobody can choose a byte of the digest, so the look-up's time tells nothing.
API_KEY_BY_DIGEST = _api_key(api_keys.c.key_digest == _WANTED)


def owned_session(answer: Answer) -> tuple[Session, Account, Standing | None]:
    """Read a session's answer; there is no standing where there is no organization yet."""
    row = answer.first
    return session_from_row(row), account_from_row(row), standing_of(row, answer.repeated)


def owned_api_key(answer: Answer) -> tuple[ApiKey, Account | ServiceAccount, Standing | None]:
    """Read an API key's answer; there is no standing where there is no organization yet."""
    row = answer.first
    api_key = api_key_from_row(row, "api_key_")
    owner = service_account_from_row(row, "service_") if api_key.of_service else account_from_row(row)
    return api_key, owner, standing_of(row, answer.repeated)
