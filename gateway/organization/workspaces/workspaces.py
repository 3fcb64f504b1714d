"""The workspaces: parts of the organization whose resources applications keep apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.audit.events import EventKind, record
from gateway.errors import Conflict, NotFound
from gateway.facts.facts import EVERYTHING
from gateway.models import Workspace, WorkspaceRole
from gateway.organization.accounts import require_account_by_id
from gateway.organization.overview import require_organization
from gateway.storage.workspace_members import add_workspace_member
from gateway.storage.workspaces import (
    count_workspaces,
    delete_workspace,
    find_workspace,
    find_workspace_by_name,
    insert_workspace,
    list_workspaces,
    rename_workspace,
)

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.models import Principal
    from gateway.revocation import Revocation, Transaction
    from gateway.storage.database import Database


class Workspaces:
    """Add, rename and remove workspaces.

    Each change concerns every Organization Admin, and whoever is in the workspace: people and service accounts alike.
    It is rare, so that one entry of the log says that everything is to be read anew.
    """

    def __init__(self, database: Database, *, revocation: Revocation) -> None:
        self._database = database
        self._revocation = revocation

    async def list(self) -> list[Workspace]:
        """Give every workspace, the oldest first."""
        async with self._database.read() as connection:
            return await list_workspaces(connection)

    async def find(self, named: str) -> Workspace:
        """Find by id or by name, however that is capitalised. Raises `NotFound`."""
        async with self._database.read() as connection:
            found = await find_workspace(connection, named) or await find_workspace_by_name(connection, named)
        if found is None:
            message = f"there is no workspace {named}: `gateway workspace list` shows them"
            raise NotFound(message)
        return found

    async def add(self, display_name: str, *, asker: Principal | None) -> Workspace:
        """Add a workspace, whose first admin is whoever asks. Raises `Conflict` or `NotFound`."""
        async with self._revocation.transaction() as transaction:
            organization = await require_organization(transaction.connection)
            workspace = await insert_workspace(
                transaction.connection,
                organization_id=organization.id,
                display_name=display_name,
                now=transaction.now,
            )
            if asker is not None:
                creator = await require_account_by_id(transaction.connection, asker.account_id)
                await add_workspace_member(
                    transaction.connection, workspace.id, creator.id, role=WorkspaceRole.ADMIN, now=transaction.now
                )
            await _changed(transaction, workspace, "added")
            transaction.log("workspace_added", workspace_id=workspace.id, workspace=display_name)
        return workspace

    async def rename(self, workspace_id: str, display_name: str) -> Workspace:
        """Give a workspace another name. Raises `NotFound` or `Conflict`."""
        async with self._revocation.transaction() as transaction:
            former = await require_workspace(transaction.connection, workspace_id)
            renamed = Workspace(former.id, display_name, former.created_at)
            if renamed == former:
                return former
            await rename_workspace(transaction.connection, workspace_id, display_name)
            await _changed(transaction, renamed, f"renamed from {former.display_name}")
            transaction.log("workspace_renamed", workspace_id=workspace_id, workspace=display_name)
        return renamed

    async def remove(self, workspace_id: str) -> Workspace:
        """Remove a workspace; who was in it stays in the organization. Raises `NotFound`, and `Conflict` for the last.

        People have to be somewhere, and new ones are put into the oldest workspace.
        """
        async with self._revocation.transaction() as transaction:
            workspace = await require_workspace(transaction.connection, workspace_id)
            if await count_workspaces(transaction.connection) == 1:
                message = f"{workspace.display_name} is the last workspace: add another one first."
                raise Conflict(message)
            await delete_workspace(transaction.connection, workspace_id)
            await _changed(transaction, workspace, "removed")
            transaction.log("workspace_removed", workspace_id=workspace_id, workspace=workspace.display_name)
        return workspace


async def require_workspace(connection: AsyncConnection, workspace_id: str) -> Workspace:
    """Find inside a transaction: it may have been removed since somebody was let through to it. Raises `NotFound`."""
    workspace = await find_workspace(connection, workspace_id)
    if workspace is None:
        message = "There is no such workspace."
        raise NotFound(message)
    return workspace


async def _changed(transaction: Transaction, workspace: Workspace, change: str) -> None:
    await transaction.invalidate(EVERYTHING)
    await record(
        transaction.connection,
        EventKind.WORKSPACE_CHANGED,
        workspace=workspace.display_name,
        workspace_id=workspace.id,
        change=change,
    )
