"""The accounts as members of the organization: with the workspaces that they are in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update

from gateway.models import Account, OrganizationRole
from gateway.storage.accounts import account_from_row
from gateway.storage.asyncio_engine import AsyncConnection
from gateway.storage.tables import accounts, workspace_members, workspaces
from gateway.storage.workspaces import OLDEST_FIRST


@dataclass(frozen=True, slots=True)
class Member:
    """An account, and the ids of the workspaces that it was put into, the oldest first."""

    account: Account
    workspace_ids: tuple[str, ...]


async def list_members(connection: AsyncConnection) -> list[Member]:
    """List everybody, by e-mail address."""
    statement = (
        select(workspace_members.c.account_id, workspaces.c.id)
        .join(workspaces, workspaces.c.id == workspace_members.c.workspace_id)
        .order_by(*OLDEST_FIRST)
    )
    workspace_ids: dict[str, list[str]] = defaultdict(list)
    for account_id, workspace_id in await connection.execute(statement):
        workspace_ids[account_id].append(workspace_id)
    rows = await connection.execute(select(accounts).order_by(accounts.c.email))
    return [Member(account_from_row(row), tuple(workspace_ids[row.id])) for row in rows]


async def find_member(connection: AsyncConnection, account_id: str) -> Member | None:
    row = (await connection.execute(select(accounts).where(accounts.c.id == account_id))).one_or_none()
    if row is None:
        return None
    statement = (
        select(workspaces.c.id)
        .join(workspace_members, workspaces.c.id == workspace_members.c.workspace_id)
        .where(workspace_members.c.account_id == account_id)
        .order_by(*OLDEST_FIRST)
    )
    return Member(account_from_row(row), tuple((await connection.execute(statement)).scalars()))


async def taken_emails(connection: AsyncConnection, emails: Collection[str]) -> set[str]:
    """Give those of these canonical addresses that an account has."""
    return set((await connection.execute(select(accounts.c.email).where(accounts.c.email.in_(emails)))).scalars())


async def taken_usernames(connection: AsyncConnection, usernames: Collection[str]) -> set[str]:
    """Give those of these canonical usernames that an account has."""
    statement = select(accounts.c.username).where(accounts.c.username.in_(usernames))
    return set((await connection.execute(statement)).scalars())


async def set_role(connection: AsyncConnection, account_id: str, *, role: OrganizationRole, now: datetime) -> None:
    statement = update(accounts).where(accounts.c.id == account_id)
    await connection.execute(statement.values(role=role.value, updated_at=now))


async def set_name(connection: AsyncConnection, account_id: str, *, name: str, now: datetime) -> None:
    await connection.execute(update(accounts).where(accounts.c.id == account_id).values(name=name, updated_at=now))


async def delete_account(connection: AsyncConnection, account_id: str) -> None:
    """Delete an account; sessions, keys, memberships and whatever else is its own go with it."""
    await connection.execute(delete(accounts).where(accounts.c.id == account_id))
