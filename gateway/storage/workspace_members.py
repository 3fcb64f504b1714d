"""Who is in a workspace, and as what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, select, update
from sqlalchemy.exc import IntegrityError

from gateway.errors import Conflict
from gateway.models import Account, OrganizationRole, WorkspaceRole
from gateway.storage.accounts import account_from_row
from gateway.storage.asyncio_engine import AsyncConnection
from gateway.storage.tables import accounts, workspace_members
from gateway.storage.workspaces import insert_workspace_member


@dataclass(frozen=True, slots=True)
class WorkspaceMember:
    """A person in a workspace. `stored_role` is the one that somebody gave them there."""

    account: Account
    stored_role: WorkspaceRole
    since: datetime

    @property
    def role(self) -> WorkspaceRole:
        """Give the role that counts: an Organization Admin is an admin of every workspace."""
        return WorkspaceRole.ADMIN if self.account.role is OrganizationRole.ADMIN else self.stored_role


async def list_workspace_members(connection: AsyncConnection, workspace_id: str) -> list[WorkspaceMember]:
    """List the people who were put into a workspace, by their addresses."""
    rows = await connection.execute(_of(workspace_id).order_by(accounts.c.email))
    return [WorkspaceMember(account_from_row(row), WorkspaceRole(row.role_there), row.since) for row in rows]


async def find_workspace_member(
    connection: AsyncConnection, workspace_id: str, account_id: str
) -> WorkspaceMember | None:
    row = (await connection.execute(_of(workspace_id).where(accounts.c.id == account_id))).one_or_none()
    return None if row is None else WorkspaceMember(account_from_row(row), WorkspaceRole(row.role_there), row.since)


async def add_workspace_member(
    connection: AsyncConnection, workspace_id: str, account_id: str, *, role: WorkspaceRole, now: datetime
) -> None:
    """Put somebody into a workspace. Raises `Conflict` where they are already."""
    try:
        await insert_workspace_member(connection, workspace_id, account_id, role=role, now=now)
    except IntegrityError as error:
        message = "This person is in the workspace already: change the role instead."
        raise Conflict(message) from error


async def set_workspace_role(
    connection: AsyncConnection, workspace_id: str, account_id: str, role: WorkspaceRole
) -> None:
    await connection.execute(update(workspace_members).where(*_is(workspace_id, account_id)).values(role=role.value))


async def delete_workspace_member(connection: AsyncConnection, workspace_id: str, account_id: str) -> None:
    await connection.execute(delete(workspace_members).where(*_is(workspace_id, account_id)))


def _of(workspace_id: str) -> Select[Any]:
    return (
        select(accounts, workspace_members.c.role.label("role_there"), workspace_members.c.created_at.label("since"))
        .join(workspace_members, workspace_members.c.account_id == accounts.c.id)
        .where(workspace_members.c.workspace_id == workspace_id)
    )


def _is(workspace_id: str, account_id: str) -> tuple[ColumnElement[bool], ...]:
    return workspace_members.c.workspace_id == workspace_id, workspace_members.c.account_id == account_id
