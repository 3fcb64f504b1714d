"""The single organization and its workspace."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.models import Organization
from gateway.storage.tables import organizations, workspaces

_ONLY_SLOT = 1

_SELECT = select(
    organizations.c.id,
    organizations.c.display_name,
    workspaces.c.id.label("workspace_id"),
    workspaces.c.display_name.label("workspace_name"),
).join(workspaces, workspaces.c.organization_id == organizations.c.id)


async def find_organization(connection: AsyncConnection) -> Organization | None:
    row = (await connection.execute(_SELECT.order_by(workspaces.c.created_at).limit(1))).one_or_none()
    return None if row is None else Organization(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it


async def create_organization(connection: AsyncConnection, *, display_name: str, now: datetime) -> Organization:
    """Create the organization with one workspace of the same name."""
    organization = Organization(
        id=str(uuid4()), display_name=display_name, workspace_id=str(uuid4()), workspace_name=display_name
    )
    await connection.execute(
        insert(organizations).values(
            id=organization.id, slot=_ONLY_SLOT, display_name=organization.display_name, created_at=now
        )
    )
    await connection.execute(
        insert(workspaces).values(
            id=organization.workspace_id,
            organization_id=organization.id,
            display_name=organization.workspace_name,
            created_at=now,
        )
    )
    return organization
