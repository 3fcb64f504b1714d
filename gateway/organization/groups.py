"""The groups: sets of accounts that rules refer to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from gateway.audit.events import EventKind, record
from gateway.errors import NotFound
from gateway.facts.facts import account_subject
from gateway.models import Account, Group
from gateway.organization.accounts import require_account
from gateway.storage.groups import (
    delete_group,
    delete_member,
    find_group,
    insert_group,
    insert_member,
    list_groups,
    list_members_of,
)

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.revocation import Revocation, Transaction
    from gateway.storage.database import Database

_log = structlog.get_logger("gateway.security")


@dataclass(frozen=True, slots=True)
class GroupWithMembers:
    group: Group
    members: tuple[Account, ...]


class Groups:
    """Change groups. What a rule reads changes with the commit: the accounts concerned are invalidated with it."""

    def __init__(self, database: Database, *, revocation: Revocation) -> None:
        self._database = database
        self._revocation = revocation

    async def add(self, name: str) -> GroupWithMembers:
        """Add an empty group. Raises `Conflict`."""
        async with self._revocation.transaction() as transaction:
            group = await insert_group(transaction.connection, name, now=transaction.now)
            await _record(transaction, group, "added")
        _log.info("group_added", group=group.name)
        return GroupWithMembers(group, ())

    async def list(self) -> list[GroupWithMembers]:
        async with self._database.read() as connection:
            groups = await list_groups(connection)
            return [await _with_members(connection, group) for group in groups]

    async def find(self, name: str) -> GroupWithMembers:
        """Find by name, however it is capitalised. Raises `NotFound`."""
        async with self._database.read() as connection:
            return await _with_members(connection, await _require_group(connection, name))

    async def add_member(self, name: str, email: str) -> GroupWithMembers:
        """Put an account into a group; twice is once. Raises `NotFound`."""
        async with self._revocation.transaction() as transaction:
            group = await _require_group(transaction.connection, name)
            account = await require_account(transaction.connection, email)
            if await insert_member(transaction.connection, group.id, account.id):
                await transaction.invalidate(account_subject(account.id))
                await _record(transaction, group, "member added", account)
            changed = await _with_members(transaction.connection, group)
        _log.info("group_member_added", group=group.name, account_id=account.id)
        return changed

    async def remove_member(self, name: str, email: str) -> GroupWithMembers:
        """Take an account out of a group; twice is once. Raises `NotFound`."""
        async with self._revocation.transaction() as transaction:
            group = await _require_group(transaction.connection, name)
            account = await require_account(transaction.connection, email)
            if await delete_member(transaction.connection, group.id, account.id):
                await transaction.invalidate(account_subject(account.id))
                await _record(transaction, group, "member removed", account)
            changed = await _with_members(transaction.connection, group)
        _log.info("group_member_removed", group=group.name, account_id=account.id)
        return changed

    async def remove(self, name: str) -> Group:
        """Remove a group; who was in it stays. Raises `NotFound`."""
        async with self._revocation.transaction() as transaction:
            group = await _require_group(transaction.connection, name)
            for account_id in await delete_group(transaction.connection, group.id):
                await transaction.invalidate(account_subject(account_id))
            await _record(transaction, group, "removed")
        _log.info("group_removed", group=group.name)
        return group


async def _with_members(connection: AsyncConnection, group: Group) -> GroupWithMembers:
    return GroupWithMembers(group, tuple(await list_members_of(connection, group.id)))


async def _require_group(connection: AsyncConnection, name: str) -> Group:
    group = await find_group(connection, name)
    if group is None:
        message = f"there is no group {name}: `gateway group list` shows them"
        raise NotFound(message)
    return group


async def _record(transaction: Transaction, group: Group, change: str, account: Account | None = None) -> None:
    await record(transaction.connection, EventKind.GROUP_CHANGED, account=account, group=group.name, change=change)
