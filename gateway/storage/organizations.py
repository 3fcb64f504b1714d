"""The single organization."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from sqlalchemy import insert, select

from gateway.models import AuthMode, Organization
from gateway.storage.asyncio_engine import AsyncConnection
from gateway.storage.tables import organizations

ONLY_SLOT = 1


async def find_organization(connection: AsyncConnection) -> Organization | None:
    statement = select(organizations.c.id, organizations.c.display_name, organizations.c.auth_mode)
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else Organization(row.id, row.display_name, AuthMode(row.auth_mode))


async def create_organization(
    connection: AsyncConnection, *, display_name: str, mode: AuthMode, now: datetime
) -> Organization:
    organization = Organization(id=str(uuid4()), display_name=display_name, mode=mode)
    await connection.execute(
        insert(organizations).values(
            id=organization.id,
            slot=ONLY_SLOT,
            display_name=display_name,
            auth_mode=mode.value,
            pat_creation_disabled=False,
            created_at=now,
        )
    )
    return organization
