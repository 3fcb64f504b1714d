"""The refresh families: one for each session that programs refresh. No token is here, nor what it is derived with."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import insert, select, update

from gateway.storage.asyncio_engine import AsyncConnection
from gateway.storage.tables import refresh_families


@dataclass(frozen=True, slots=True)
class RefreshFamily:
    """The generation that is good, and when each recent one before it was superseded."""

    session_id: str
    nonce: bytes = field(repr=False)
    expires_at: datetime
    generation: int = 0
    superseded: tuple[tuple[int, datetime], ...] = ()


async def insert_family(connection: AsyncConnection, family: RefreshFamily) -> None:
    values = {"session_id": family.session_id, **_values(family)}
    await connection.execute(insert(refresh_families).values(values))


async def find_family(connection: AsyncConnection, session_id: str) -> RefreshFamily | None:
    statement = select(refresh_families).where(refresh_families.c.session_id == session_id)
    row = (await connection.execute(statement)).one_or_none()
    if row is None:
        return None
    superseded = tuple((generation, datetime.fromisoformat(at)) for generation, at in json.loads(row.superseded))
    return RefreshFamily(row.session_id, row.nonce, row.expires_at, row.generation, superseded)


async def replace_family(connection: AsyncConnection, family: RefreshFamily) -> bool:
    """Put a family in the place of the session's former one; says whether there was one."""
    statement = update(refresh_families).where(refresh_families.c.session_id == family.session_id)
    statement = statement.values(_values(family))
    return (await connection.execute(statement.returning(refresh_families.c.session_id))).first() is not None


async def advance_family(connection: AsyncConnection, family: RefreshFamily, *, to: RefreshFamily) -> bool:
    """Replace a family's state if it is still the one that was read; of several who try, one does it."""
    columns = refresh_families.c
    statement = (
        update(refresh_families)
        .where(
            columns.session_id == family.session_id,
            columns.generation == family.generation,
            columns.nonce == family.nonce,
        )
        .values(_values(to))
        .returning(columns.session_id)
    )
    return (await connection.execute(statement)).first() is not None


def _values(family: RefreshFamily) -> dict[str, object]:
    return {
        "nonce": family.nonce,
        "generation": family.generation,
        "superseded": json.dumps([[generation, at.isoformat()] for generation, at in family.superseded]),
        "expires_at": family.expires_at,
    }
