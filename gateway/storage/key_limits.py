"""What the organization allows of new keys."""

from __future__ import annotations

from dataclasses import asdict, fields

from sqlalchemy import select, update

from gateway.models import KeyLimits
from gateway.storage.asyncio_engine import AsyncConnection
from gateway.storage.tables import organizations

_SELECT = select(*(organizations.c[field.name] for field in fields(KeyLimits)))


async def find_key_limits(connection: AsyncConnection) -> KeyLimits:
    """Find the stored ones; before there is an organization there are none."""
    row = (await connection.execute(_SELECT)).one_or_none()
    return KeyLimits() if row is None else KeyLimits(*row)


async def store_key_limits(connection: AsyncConnection, limits: KeyLimits) -> None:
    await connection.execute(update(organizations).values(asdict(limits)))
