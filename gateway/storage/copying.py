"""Everything of one database into another: how an installation moves from its file to a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select
from sqlalchemy.exc import DBAPIError

from gateway.errors import Conflict
from gateway.storage.columns import metadata

if TYPE_CHECKING:
    from sqlalchemy import Table
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.storage.database import Database

_ROWS_AT_ONCE = 500


async def copy_everything(source: Database, target: Database) -> dict[str, int]:
    """Copy every table of a migrated database into an empty one; returns how many rows each has.

    All of it is there at the end, or nothing. Nobody writes to either meanwhile. Raises `Conflict` where the target
    is not empty.
    """
    async with source.write() as reading, target.change_tables() as writing:
        for table in metadata.sorted_tables:
            await _require_empty(writing, table)
        return {table.name: await _copy(table, reading, writing) for table in metadata.sorted_tables}


async def _require_empty(connection: AsyncConnection, table: Table) -> None:
    if (await connection.execute(select(table).limit(1))).first() is not None:
        message = (
            f"There is something in the other database already (its table {table.name}): copy into a new one, before "
            "a gateway has started on it."
        )
        raise Conflict(message)


async def _copy(table: Table, reading: AsyncConnection, writing: AsyncConnection) -> int:
    copied = 0
    rows = await reading.stream(select(table))
    async for some in rows.partitions(_ROWS_AT_ONCE):
        values = [dict(row._mapping) for row in some]  # noqa: SLF001 - SQLAlchemy's public name for it
        try:
            await writing.execute(insert(table), values)
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            # What the engine says may repeat the row.
            message = f"A row of the table {table.name} does not fit into the other database: nothing was copied."
            raise Conflict(message) from error
        copied += len(some)
    await _go_on_counting(table, writing)
    return copied


async def _go_on_counting(table: Table, connection: AsyncConnection) -> None:
    """Let the sequence of a table that numbers its rows begin after them: on PostgreSQL it has not noticed them."""
    column = table.autoincrement_column
    if column is None or column.identity is not None or connection.dialect.name != "postgresql":
        return
    newest = (await connection.execute(select(func.max(column)))).scalar_one()
    if newest is not None:
        sequence = func.pg_get_serial_sequence(table.name, column.name)
        await connection.execute(select(func.setval(sequence, newest)))
