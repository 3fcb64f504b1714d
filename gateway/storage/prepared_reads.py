"""Reads that are asked so often that each engine has a short way for them: compiled once, answered in plain values."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import ColumnElement, Select, bindparam

if TYPE_CHECKING:
    from sqlalchemy import Dialect
    from sqlalchemy.ext.asyncio import AsyncConnection

# The one value that a prepared read is asked with.
WANTED = "wanted"

# Has every column of the statement by its name.
Row = Any


class PreparedRead:
    """Selects the one row whose key is wanted."""

    def __init__(self, selected: Select[Any], key: ColumnElement[Any]) -> None:
        self.key = key
        self._selected = selected
        self.statement = self.where(bindparam(WANTED))

    def where(self, wanted: ColumnElement[Any]) -> Select[Any]:
        return self._selected.where(self.key == wanted)

    async def ask(self, connection: AsyncConnection, wanted: str | bytes) -> Row | None:
        """Ask the ordinary way; `None` where there is no row."""
        return (await connection.execute(self.statement, {WANTED: wanted})).one_or_none()


class ShortWay(Protocol):
    """A way to the rows of an engine that is quicker than that of SQLAlchemy. `answers_at_once`: without waiting."""

    @property
    def answers_at_once(self) -> bool: ...

    async def ask(self, read: PreparedRead, wanted: str | bytes) -> list[Row] | None:
        """Give the row, if there is one; `None`: this way is closed now, ask the ordinary way.

        Raises `Unavailable` where the ordinary way would lead nowhere either.
        """

    def ask_at_once(self, read: PreparedRead, wanted: str | bytes) -> list[Row] | None:
        """Give the same without waiting; `None`: that is not possible here, or not now."""

    async def close(self) -> None: ...


class CompiledRead:
    """A statement in the words of one engine, and its rows as SQLAlchemy would give them."""

    def __init__(self, statement: Select[Any], dialect: Dialect) -> None:
        # Every value but the wanted one is written in the text: SQLite would be handed each of them each time.
        self.text = statement.compile(dialect=dialect).construct_expanded_state({WANTED: None}).statement
        columns = list(statement.selected_columns)
        row: Any = namedtuple("Row", [str(column.key) for column in columns])  # type: ignore[misc]  # noqa: PYI024 - the names are the statement's
        self._make: Callable[[list[Any]], Row] = row._make
        processors = (column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns)
        self._conversions = tuple((at, made) for at, made in enumerate(processors) if made is not None)

    def row(self, values: list[Any]) -> Row:
        """Turn what the driver gave into what SQLAlchemy would give."""
        for at, convert in self._conversions:
            if values[at] is not None:
                values[at] = convert(values[at])
        return self._make(values)
