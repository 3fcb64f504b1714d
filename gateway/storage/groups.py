"""The groups and their members; names are found in the form in which they are compared."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Row, bindparam, delete, insert, select
from sqlalchemy.exc import IntegrityError

from gateway.errors import Conflict
from gateway.grammar.group_names import canonical_group_name
from gateway.models import Account, Group
from gateway.storage.accounts import account_from_row
from gateway.storage.asyncio_engine import AsyncConnection
from gateway.storage.tables import accounts, group_members, groups

_NAMES_OF_ACCOUNT = (
    select(groups.c.name)
    .join(group_members, group_members.c.group_id == groups.c.id)
    .where(group_members.c.account_id == bindparam("wanted"))
)


async def list_groups_of(connection: AsyncConnection, account_id: str) -> list[str]:
    """List the names of an account's groups, sorted."""
    return sorted((await connection.execute(_NAMES_OF_ACCOUNT, {"wanted": account_id})).scalars())


async def list_groups(connection: AsyncConnection) -> list[Group]:
    rows = await connection.execute(select(groups).order_by(groups.c.canonical_name))
    return [_from_row(row) for row in rows]


async def find_group(connection: AsyncConnection, group_id: str) -> Group | None:
    row = (await connection.execute(select(groups).where(groups.c.id == group_id))).one_or_none()
    return None if row is None else _from_row(row)


async def find_group_by_name(connection: AsyncConnection, name: str) -> Group | None:
    """Find by name, however it is capitalised."""
    statement = select(groups).where(groups.c.canonical_name == canonical_group_name(name))
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else _from_row(row)


async def insert_group(connection: AsyncConnection, name: str, *, now: datetime) -> Group:
    """Insert a group. Raises `Conflict` where one of that name, or of one that is read alike, is there."""
    values = {"id": str(uuid4()), "name": name, "canonical_name": canonical_group_name(name), "created_at": now}
    try:
        row = (await connection.execute(insert(groups).values(values).returning(groups))).one()
    except IntegrityError as error:
        message = f"There is already a group {name}, or one whose name reads the same."
        raise Conflict(message) from error
    return _from_row(row)


async def delete_group(connection: AsyncConnection, group_id: str) -> list[str]:
    """Delete a group; returns the ids of the accounts that were in it."""
    left = delete(group_members).where(group_members.c.group_id == group_id).returning(group_members.c.account_id)
    members = list((await connection.execute(left)).scalars())
    await connection.execute(delete(groups).where(groups.c.id == group_id))
    return members


async def list_group_members(connection: AsyncConnection, group_id: str | None = None) -> dict[str, list[Account]]:
    """List who is in one group, or in each, by the ids of the groups; those that nobody is in are left out."""
    statement = (
        select(group_members.c.group_id, accounts)
        .join(accounts, accounts.c.id == group_members.c.account_id)
        .order_by(accounts.c.email)
    )
    if group_id is not None:
        statement = statement.where(group_members.c.group_id == group_id)
    found: dict[str, list[Account]] = defaultdict(list)
    for row in await connection.execute(statement):
        found[row.group_id].append(account_from_row(row))
    return found


async def insert_member(connection: AsyncConnection, group_id: str, account_id: str) -> bool:
    """Put an account into a group; says whether it was not there yet."""
    member = (group_members.c.group_id == group_id, group_members.c.account_id == account_id)
    if (await connection.execute(select(group_members).where(*member))).first() is not None:
        return False
    await connection.execute(insert(group_members).values(group_id=group_id, account_id=account_id))
    return True


async def delete_member(connection: AsyncConnection, group_id: str, account_id: str) -> bool:
    """Take an account out of a group; says whether it was there."""
    statement = delete(group_members).where(
        group_members.c.group_id == group_id, group_members.c.account_id == account_id
    )
    return (await connection.execute(statement.returning(group_members.c.account_id))).first() is not None


def _from_row(row: Row[Any]) -> Group:
    return Group(id=row.id, name=row.name, created_at=row.created_at)
