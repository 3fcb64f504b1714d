"""The groups: sets of accounts that rules refer to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.audit.events import EventKind, record
from gateway.errors import NotFound
from gateway.facts.facts import account_subject
from gateway.models import Account, Group
from gateway.organization.accounts import require_account_by_id
from gateway.storage.groups import (
    delete_group,
    delete_member,
    find_group,
    find_group_by_name,
    insert_group,
    insert_member,
    list_group_members,
    list_groups,
)

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.revocation import Revocation, Transaction
    from gateway.storage.database import Database


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
            transaction.log("group_added", group=group.name)
        return GroupWithMembers(group, ())

    async def list(self) -> list[GroupWithMembers]:
        async with self._database.read() as connection:
            groups, members = await list_groups(connection), await list_group_members(connection)
        return [GroupWithMembers(group, tuple(members[group.id])) for group in groups]

    async def find(self, group_id: str) -> GroupWithMembers:
        """Raise `NotFound` unless it is there."""
        async with self._database.read() as connection:
            return await _with_members(connection, await _require_group(connection, group_id))

    async def find_by_name(self, name: str) -> GroupWithMembers:
        """Find by name, however it is capitalised. Raises `NotFound`."""
        async with self._database.read() as connection:
            group = await find_group_by_name(connection, name)
            if group is None:
                message = f"there is no group {name}: `gateway group list` shows them"
                raise NotFound(message)
            return await _with_members(connection, group)

    async def add_member(self, group_id: str, account_id: str) -> bool:
        """Put an account into a group; says whether it was not there yet. Raises `NotFound`."""
        async with self._revocation.transaction() as transaction:
            group = await _require_group(transaction.connection, group_id)
            account = await require_account_by_id(transaction.connection, account_id)
            if not await insert_member(transaction.connection, group_id, account_id):
                return False
            await transaction.invalidate(account_subject(account_id))
            await _record(transaction, group, "member added", account)
            transaction.log("group_member_added", group=group.name, account_id=account_id)
        return True

    async def remove_member(self, group_id: str, account_id: str) -> bool:
        """Take an account out of a group; says whether it was there. Raises `NotFound`."""
        async with self._revocation.transaction() as transaction:
            group = await _require_group(transaction.connection, group_id)
            account = await require_account_by_id(transaction.connection, account_id)
            if not await delete_member(transaction.connection, group_id, account_id):
                return False
            await transaction.invalidate(account_subject(account_id))
            await _record(transaction, group, "member removed", account)
            transaction.log("group_member_removed", group=group.name, account_id=account_id)
        return True

    async def remove(self, group_id: str) -> Group:
        """Remove a group; who was in it stays. Raises `NotFound`."""
        async with self._revocation.transaction() as transaction:
            group = await _require_group(transaction.connection, group_id)
            for account_id in await delete_group(transaction.connection, group_id):
                await transaction.invalidate(account_subject(account_id))
            await _record(transaction, group, "removed")
            transaction.log("group_removed", group=group.name)
        return group


async def _with_members(connection: AsyncConnection, group: Group) -> GroupWithMembers:
    members = await list_group_members(connection, group.id)
    return GroupWithMembers(group, tuple(members[group.id]))


async def _require_group(connection: AsyncConnection, group_id: str) -> Group:
    group = await find_group(connection, group_id)
    if group is None:
        message = "There is no such group."
        raise NotFound(message)
    return group


async def _record(transaction: Transaction, group: Group, change: str, account: Account | None = None) -> None:
    await record(transaction.connection, EventKind.GROUP_CHANGED, account=account, group=group.name, change=change)
