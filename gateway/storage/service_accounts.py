"""The service accounts: owners of keys that never log in, and the workspaces that they are in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from gateway.errors import Conflict
from gateway.grammar.group_names import canonical_group_name
from gateway.models import OrganizationRole, ServiceAccount, WorkspaceRole
from gateway.storage.asyncio_engine import AsyncConnection
from gateway.storage.tables import service_accounts, service_memberships


async def list_service_accounts(connection: AsyncConnection) -> list[ServiceAccount]:
    rows = await connection.execute(select(service_accounts).order_by(service_accounts.c.canonical_name))
    return [service_account_from_row(row) for row in rows]


async def find_service_account(connection: AsyncConnection, service_account_id: str) -> ServiceAccount | None:
    statement = select(service_accounts).where(service_accounts.c.id == service_account_id)
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else service_account_from_row(row)


async def find_service_account_by_name(connection: AsyncConnection, name: str) -> ServiceAccount | None:
    """Find by name, however it is capitalised."""
    statement = select(service_accounts).where(service_accounts.c.canonical_name == canonical_group_name(name))
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else service_account_from_row(row)


async def insert_service_account(
    connection: AsyncConnection, *, name: str, role: OrganizationRole, now: datetime
) -> ServiceAccount:
    """Insert a service account without workspaces. Raises `Conflict` for a name that reads the same as another's."""
    values = {
        "id": str(uuid4()),
        "name": name,
        "canonical_name": canonical_group_name(name),
        "role": role.value,
        "created_at": now,
    }
    try:
        row = (await connection.execute(insert(service_accounts).values(values).returning(service_accounts))).one()
    except IntegrityError as error:
        message = f"there is already a service account {name}, or one whose name reads the same"
        raise Conflict(message) from error
    return service_account_from_row(row)


async def update_service_account(
    connection: AsyncConnection, service_account_id: str, *, role: OrganizationRole, default_workspace_id: str | None
) -> None:
    statement = update(service_accounts).where(service_accounts.c.id == service_account_id)
    await connection.execute(statement.values(role=role.value, default_workspace_id=default_workspace_id))


async def delete_service_account(connection: AsyncConnection, service_account_id: str) -> None:
    """Delete a service account, and with it its keys."""
    await connection.execute(delete(service_accounts).where(service_accounts.c.id == service_account_id))


async def find_service_memberships(connection: AsyncConnection, service_account_id: str) -> dict[str, WorkspaceRole]:
    """Give the ids of the workspaces that a service account was put into, and its role in each."""
    statement = select(service_memberships.c.workspace_id, service_memberships.c.role)
    rows = await connection.execute(statement.where(service_memberships.c.service_account_id == service_account_id))
    return {row.workspace_id: WorkspaceRole(row.role) for row in rows}


async def replace_service_memberships(
    connection: AsyncConnection, service_account_id: str, memberships: Mapping[str, WorkspaceRole], *, now: datetime
) -> None:
    """Put a service account into these workspaces, and no other."""
    owned = service_memberships.c.service_account_id == service_account_id
    await connection.execute(delete(service_memberships).where(owned))
    rows = [
        {
            "workspace_id": workspace_id,
            "service_account_id": service_account_id,
            "role": role.value,
            "created_at": now,
        }
        for workspace_id, role in memberships.items()
    ]
    if rows:
        await connection.execute(insert(service_memberships), rows)


def service_account_from_row(row: Row[Any], label: str = "") -> ServiceAccount:
    column = {name: getattr(row, label + name) for name in ("id", "name", "role", "default_workspace_id", "created_at")}
    return ServiceAccount(
        id=column["id"],
        name=column["name"],
        role=OrganizationRole(column["role"]),
        default_workspace_id=column["default_workspace_id"],
        created_at=column["created_at"],
    )
