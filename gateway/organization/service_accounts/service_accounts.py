"""The service accounts: what programs are, which have keys and never log in."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog

from gateway.audit.events import EventKind, record
from gateway.errors import InvalidFields, NotFound
from gateway.facts.facts import account_subject
from gateway.models import Membership, OrganizationRole, ServiceAccount, WorkspaceRole
from gateway.permissions import require_grantable
from gateway.storage.service_accounts import (
    delete_service_account,
    find_service_account,
    find_service_account_by_name,
    find_service_memberships,
    insert_service_account,
    list_service_accounts,
    replace_service_memberships,
    update_service_account,
)
from gateway.storage.standing import find_standing, list_service_memberships
from gateway.storage.workspaces import list_workspaces, usual_workspace_role

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.models import Principal, Workspace
    from gateway.revocation import Revocation, Transaction
    from gateway.storage.database import Database

_log = structlog.get_logger("gateway.security")


@dataclass(frozen=True, slots=True)
class WantedServiceAccount:
    """What a service account shall be. `None`: as it is, and of a new one as usual.

    A default workspace of `None` is none, where `default_workspace_said`.
    """

    role: OrganizationRole | None = None
    workspace_ids: tuple[str, ...] | None = None
    workspace_role: WorkspaceRole | None = None
    default_workspace_id: str | None = None
    default_workspace_said: bool = False


@dataclass(frozen=True, slots=True)
class KnownServiceAccount:
    """A service account and the workspaces that it may enter, as checks have it."""

    account: ServiceAccount
    memberships: tuple[Membership, ...]


class ServiceAccounts:
    """Change service accounts. Their keys follow within a second: each change is in the log with its commit.

    `asker`: whose access token came along, or `None` for an operator at the shell.
    """

    def __init__(self, database: Database, *, revocation: Revocation) -> None:
        self._database = database
        self._revocation = revocation

    async def add(self, name: str, wanted: WantedServiceAccount, *, asker: Principal | None) -> KnownServiceAccount:
        """Add a service account. Raises `Conflict`, `InvalidFields` or `PermissionDenied`."""
        role = wanted.role or OrganizationRole.USER
        require_grantable(asker, role)
        async with self._revocation.transaction() as transaction:
            connection = transaction.connection
            account = await insert_service_account(connection, name=name, role=role, now=transaction.now)
            workspaces = await list_workspaces(connection)
            usual = tuple(workspace.id for workspace in workspaces[:1])
            memberships = _memberships(wanted, usual, before={}, role=role, workspaces=workspaces)
            added = await _settle(transaction, account, wanted, memberships=memberships, workspaces=workspaces)
            await _record(transaction, added, f"added as {role}")
            known = await _known(connection, added)
        _log.info("service_account_added", service_account_id=added.id, role=role.value)
        return known

    async def list(self) -> list[KnownServiceAccount]:
        async with self._database.read() as connection:
            accounts = await list_service_accounts(connection)
            memberships = await list_service_memberships(connection)
        return [KnownServiceAccount(account, memberships.get(account.id, ())) for account in accounts]

    async def find(self, service_account_id: str) -> KnownServiceAccount:
        async with self._database.read() as connection:
            return await _known(connection, await _require(connection, service_account_id))

    async def find_by_name(self, name: str) -> KnownServiceAccount:
        """Find by name, however it is capitalised. Raises `NotFound`."""
        async with self._database.read() as connection:
            return await _known(connection, await require_service_account(connection, name))

    async def change(
        self, service_account_id: str, wanted: WantedServiceAccount, *, asker: Principal | None
    ) -> KnownServiceAccount:
        """Give a service account another role or other workspaces.

        Raises `NotFound`, `InvalidFields` or `PermissionDenied`.
        """
        async with self._revocation.transaction() as transaction:
            connection = transaction.connection
            account = await _require(connection, service_account_id)
            role = wanted.role or account.role
            for one in (account.role, role):
                require_grantable(asker, one)
            workspaces = await list_workspaces(connection)
            before = await find_service_memberships(connection, account.id)
            memberships = _memberships(wanted, tuple(before), before=before, role=role, workspaces=workspaces)
            account = replace(account, role=role)
            changed = await _settle(transaction, account, wanted, memberships=memberships, workspaces=workspaces)
            await transaction.invalidate(account_subject(changed.id))
            await _record(transaction, changed, f"is {role} now, in {len(memberships)} workspaces")
            known = await _known(connection, changed)
        _log.info("service_account_changed", service_account_id=changed.id, role=role.value)
        return known

    async def remove(self, service_account_id: str) -> ServiceAccount:
        """Remove a service account; every key of it ends at once. Raises `NotFound`."""
        async with self._revocation.transaction() as transaction:
            account = await _require(transaction.connection, service_account_id)
            await delete_service_account(transaction.connection, account.id)
            await transaction.invalidate(account_subject(account.id))
            await _record(transaction, account, "removed, with its keys")
        _log.info("service_account_removed", service_account_id=account.id)
        return account


async def require_service_account(connection: AsyncConnection, name: str) -> ServiceAccount:
    """Find by name, however it is capitalised. Raises `NotFound` with where to look."""
    account = await find_service_account_by_name(connection, name)
    if account is None:
        message = f"there is no service account {name}: `gateway service-account list` shows them"
        raise NotFound(message)
    return account


def _memberships(
    wanted: WantedServiceAccount,
    otherwise: tuple[str, ...],
    *,
    before: Mapping[str, WorkspaceRole],
    role: OrganizationRole,
    workspaces: Collection[Workspace],
) -> dict[str, WorkspaceRole]:
    """Say in which workspaces it shall be, and as what. Raises `InvalidFields` for one that is not there."""
    ids = otherwise if wanted.workspace_ids is None else wanted.workspace_ids
    unknown = set(ids) - {workspace.id for workspace in workspaces}
    if unknown:
        raise InvalidFields(fields={"workspaces": f"There is no workspace {min(unknown)}."})
    return {one: wanted.workspace_role or before.get(one) or usual_workspace_role(role) for one in ids}


async def _settle(
    transaction: Transaction,
    account: ServiceAccount,
    wanted: WantedServiceAccount,
    *,
    memberships: Mapping[str, WorkspaceRole],
    workspaces: Collection[Workspace],
) -> ServiceAccount:
    """Store role, memberships and the default workspace, which is always one that it may enter."""
    is_admin = account.role is OrganizationRole.ADMIN
    open_to_it = {workspace.id for workspace in workspaces} if is_admin else set(memberships)
    default = wanted.default_workspace_id if wanted.default_workspace_said else account.default_workspace_id
    if default not in {None, *open_to_it}:
        if wanted.default_workspace_said:
            raise InvalidFields(fields={"default_workspace_id": "This is none of the service account's workspaces."})
        default = None
    await replace_service_memberships(transaction.connection, account.id, memberships, now=transaction.now)
    await update_service_account(transaction.connection, account.id, role=account.role, default_workspace_id=default)
    return replace(account, default_workspace_id=default)


async def _known(connection: AsyncConnection, account: ServiceAccount) -> KnownServiceAccount:
    standing = await find_standing(connection, account)
    return KnownServiceAccount(account, () if standing is None else standing.memberships)


async def _require(connection: AsyncConnection, service_account_id: str) -> ServiceAccount:
    account = await find_service_account(connection, service_account_id)
    if account is None:
        message = "There is no such service account."
        raise NotFound(message)
    return account


async def _record(transaction: Transaction, account: ServiceAccount, change: str) -> None:
    kind = EventKind.SERVICE_ACCOUNT_CHANGED
    await record(transaction.connection, kind, service_account=account.name, change=change)
