"""Who is in a workspace, and as what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.audit.events import EventKind, record
from gateway.errors import Conflict, NotFound
from gateway.facts.facts import account_subject
from gateway.models import Account, OrganizationRole, Workspace, WorkspaceRole
from gateway.organization.accounts import require_account_by_id
from gateway.organization.workspaces.workspaces import require_workspace
from gateway.storage.workspace_members import (
    WorkspaceMember,
    add_workspace_member,
    delete_workspace_member,
    find_workspace_member,
    list_workspace_members,
    set_workspace_role,
)

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.revocation import Revocation, Transaction
    from gateway.storage.database import Database


class WorkspaceMembers:
    """Put people of the organization into workspaces. What a check answers about them changes with the commit."""

    def __init__(self, database: Database, *, revocation: Revocation) -> None:
        self._database = database
        self._revocation = revocation

    async def list(self, workspace_id: str) -> list[WorkspaceMember]:
        """Give who was put into it. Organization Admins are admins of it in any case. Raises `NotFound`."""
        async with self._database.read() as connection:
            await require_workspace(connection, workspace_id)
            return await list_workspace_members(connection, workspace_id)

    async def add(self, workspace_id: str, account_id: str, role: WorkspaceRole) -> WorkspaceMember:
        """Put somebody into a workspace. Raises `NotFound`, and `Conflict` where they are in it already."""
        async with self._revocation.transaction() as transaction:
            workspace = await require_workspace(transaction.connection, workspace_id)
            account = await require_account_by_id(transaction.connection, account_id)
            _require_possible(account, role)
            await add_workspace_member(transaction.connection, workspace_id, account_id, role=role, now=transaction.now)
            await _changed(transaction, workspace, account, change="member added", role=role.value)
            transaction.log("workspace_member_added", workspace_id=workspace_id, account_id=account_id, role=role.value)
        return WorkspaceMember(account, role, transaction.now)

    async def set_role(self, workspace_id: str, account_id: str, role: WorkspaceRole) -> WorkspaceMember:
        """Give somebody another role there. Raises `NotFound`, or `Conflict` for less than an Organization Admin is."""
        async with self._revocation.transaction() as transaction:
            workspace = await require_workspace(transaction.connection, workspace_id)
            member = await _require_member(transaction.connection, workspace_id, account_id)
            _require_possible(member.account, role)
            if member.stored_role is role:
                return member
            await set_workspace_role(transaction.connection, workspace_id, account_id, role)
            await _changed(transaction, workspace, member.account, change="role changed", role=role.value)
            transaction.log("workspace_role_changed", workspace_id=workspace_id, account_id=account_id, role=role.value)
        return WorkspaceMember(member.account, role, member.since)

    async def remove(self, workspace_id: str, account_id: str) -> WorkspaceMember:
        """Take somebody out of a workspace. Raises `NotFound`."""
        async with self._revocation.transaction() as transaction:
            workspace = await require_workspace(transaction.connection, workspace_id)
            member = await _require_member(transaction.connection, workspace_id, account_id)
            await delete_workspace_member(transaction.connection, workspace_id, account_id)
            await _changed(
                transaction, workspace, member.account, change="member removed", role=member.stored_role.value
            )
            transaction.log("workspace_member_removed", workspace_id=workspace_id, account_id=account_id)
        return member


async def _require_member(connection: AsyncConnection, workspace_id: str, account_id: str) -> WorkspaceMember:
    member = await find_workspace_member(connection, workspace_id, account_id)
    if member is None:
        message = "There is no such person in this workspace."
        raise NotFound(message)
    return member


def _require_possible(account: Account, role: WorkspaceRole) -> None:
    """Refuse what would look like a limit and be none."""
    if account.role is OrganizationRole.ADMIN and role is not WorkspaceRole.ADMIN:
        message = f"{account.email} is an Organization Admin, and so an admin of every workspace."
        raise Conflict(message)


async def _changed(transaction: Transaction, workspace: Workspace, account: Account, *, change: str, role: str) -> None:
    await transaction.invalidate(account_subject(account.id))
    await record(
        transaction.connection,
        EventKind.WORKSPACE_CHANGED,
        account=account,
        workspace=workspace.display_name,
        workspace_id=workspace.id,
        change=change,
        role=role,
    )
