"""Insert or update: one statement, spelt the same on both engines, imported from two places."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Table
from sqlalchemy.dialects import sqlite

from gateway.storage.asyncio_engine import AsyncConnection

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql


async def upsert(
    connection: AsyncConnection, table: Table, *, key: Mapping[str, Any], values: Mapping[str, Any]
) -> None:
    """Make the row of this key hold these values, whether or not it was there."""
    statement = _insert(connection)(table).values(**key, **values)
    await connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=dict(values)))


def _insert(connection: AsyncConnection) -> type[postgresql.Insert | sqlite.Insert]:
    if connection.dialect.name != "postgresql":
        return sqlite.Insert
    # 2 MB, which a gateway with a file has no use for.
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415

    return postgresql.Insert
