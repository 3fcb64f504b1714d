"""The workspaces and who is in them."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from sqlalchemy import delete, func, insert, literal, select, update
from sqlalchemy.exc import IntegrityError

from gateway.errors import Conflict
from gateway.grammar.group_names import canonical_group_name
from gateway.models import OrganizationRole, Workspace, WorkspaceRole
from gateway.storage.asyncio_engine import AsyncConnection
from gateway.storage.columns import UtcDateTime
from gateway.storage.tables import accounts, workspace_members, workspaces

# The oldest one is where people are unless something else is said; ids decide between two of the same moment.
OLDEST_FIRST = (workspaces.c.created_at, workspaces.c.id)
_COLUMNS = (workspaces.c.id, workspaces.c.display_name, workspaces.c.created_at)


async def list_workspaces(connection: AsyncConnection) -> list[Workspace]:
    rows = await connection.execute(select(*_COLUMNS).order_by(*OLDEST_FIRST))
    return [Workspace(row.id, row.display_name, row.created_at) for row in rows]


async def find_workspace(connection: AsyncConnection, workspace_id: str) -> Workspace | None:
    row = (await connection.execute(select(*_COLUMNS).where(workspaces.c.id == workspace_id))).one_or_none()
    return None if row is None else Workspace(row.id, row.display_name, row.created_at)


async def find_workspace_by_name(connection: AsyncConnection, name: str) -> Workspace | None:
    """Find by name, however it is capitalised."""
    statement = select(*_COLUMNS).where(workspaces.c.canonical_name == canonical_group_name(name))
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else Workspace(row.id, row.display_name, row.created_at)


async def insert_workspace(
    connection: AsyncConnection,
    *,
    organization_id: str,
    display_name: str,
    now: datetime,
    workspace_id: str | None = None,
) -> Workspace:
    """Insert a workspace, with a random id unless one is given. Raises `Conflict` for a name that reads the same."""
    workspace = Workspace(workspace_id or str(uuid4()), display_name, now)
    values = {
        "id": workspace.id,
        "organization_id": organization_id,
        "display_name": display_name,
        "canonical_name": canonical_group_name(display_name),
        "created_at": now,
    }
    try:
        await connection.execute(insert(workspaces).values(values))
    except IntegrityError as error:
        raise _name_is_taken(display_name) from error
    return workspace


async def rename_workspace(connection: AsyncConnection, workspace_id: str, display_name: str) -> None:
    """Give a workspace another name. Raises `Conflict` for one that reads the same as another's."""
    values = {"display_name": display_name, "canonical_name": canonical_group_name(display_name)}
    try:
        await connection.execute(update(workspaces).where(workspaces.c.id == workspace_id).values(values))
    except IntegrityError as error:
        raise _name_is_taken(display_name) from error


async def delete_workspace(connection: AsyncConnection, workspace_id: str) -> None:
    """Delete a workspace, and with it who is in it."""
    await connection.execute(delete(workspaces).where(workspaces.c.id == workspace_id))


async def count_workspaces(connection: AsyncConnection) -> int:
    return (await connection.execute(select(func.count()).select_from(workspaces))).scalar_one()


async def insert_workspace_member(
    connection: AsyncConnection, workspace_id: str, account_id: str, *, role: WorkspaceRole, now: datetime
) -> None:
    await connection.execute(
        insert(workspace_members).values(
            workspace_id=workspace_id, account_id=account_id, role=role.value, created_at=now
        )
    )


async def join_default_workspace(
    connection: AsyncConnection, account_id: str, *, role: OrganizationRole, now: datetime
) -> None:
    """Put a new account where people are unless something else is said; an account that is not there stays so."""
    oldest_for_account = (
        select(
            workspaces.c.id,
            accounts.c.id,
            literal(usual_workspace_role(role).value),
            literal(now, UtcDateTime),
        )
        .select_from(workspaces.join(accounts, accounts.c.id == account_id))
        .order_by(*OLDEST_FIRST)
        .limit(1)
    )
    await connection.execute(
        insert(workspace_members).from_select(["workspace_id", "account_id", "role", "created_at"], oldest_for_account)
    )


def usual_workspace_role(role: OrganizationRole) -> WorkspaceRole:
    """Give the role in a workspace that goes with one in the organization, where nothing else is said."""
    return {OrganizationRole.ADMIN: WorkspaceRole.ADMIN, OrganizationRole.VIEWER: WorkspaceRole.VIEWER}.get(
        role, WorkspaceRole.EDITOR
    )


def _name_is_taken(display_name: str) -> Conflict:
    message = f"There is already a workspace {display_name}, or one whose name reads the same."
    return Conflict(message)
