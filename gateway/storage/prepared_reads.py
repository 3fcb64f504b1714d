"""Reads that are asked so often that each engine has a short way for them: compiled once, answered in plain values."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import CompoundSelect

if TYPE_CHECKING:
    from sqlalchemy import Dialect
    from sqlalchemy.ext.asyncio import AsyncConnection

# The one value that a prepared read is asked with.
WANTED = "wanted"

_Conversions = tuple[tuple[int, Callable[[Any], Any]], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of one thing: `first` has every column by its name, `repeated` of each row only what differs."""

    first: Any
    repeated: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True, slots=True, eq=False)
class PreparedRead:
    """A statement with the parameter `wanted`; its rows differ in the last so many columns only."""

    statement: CompoundSelect[Any]
    differing: int

    async def ask(self, connection: AsyncConnection, wanted: str | bytes) -> Answer | None:
        """Ask the ordinary way; `None` where there is no row."""
        rows = (await connection.execute(self.statement, {WANTED: wanted})).all()
        return Answer(rows[0], tuple([tuple(row[-self.differing :]) for row in rows])) if rows else None


class ShortWay(Protocol):
    """A way to an engine's rows that is quicker than SQLAlchemy's."""

    async def ask(self, read: PreparedRead, wanted: str | bytes) -> list[Answer] | None:
        """Give the answer, if there is one; `None`: this way is closed now, ask the ordinary way.

        Raises `Unavailable` where the ordinary way would lead nowhere either.
        """

    def ask_at_once(self, read: PreparedRead, wanted: str | bytes) -> list[Answer] | None:
        """Give the same without waiting; `None`: that is not possible here, or not now."""

    async def close(self) -> None: ...


class CompiledRead:
    """A prepared read in the words of one engine."""

    def __init__(self, read: PreparedRead, dialect: Dialect) -> None:
        expanded = read.statement.compile(dialect=dialect).construct_expanded_state({WANTED: None})
        self.text = expanded.statement
        # Every other value is written in the text: SQLite would be handed each of them with each question.
        self.places = len(expanded.positiontup or ())
        columns = list(read.statement.selected_columns)
        self._row: Callable[[list[Any]], Any] = _maker_of_rows([str(column.key) for column in columns])
        processors = (column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns)
        self._conversions: _Conversions = tuple((at, made) for at, made in enumerate(processors) if made is not None)
        self._tail = -read.differing
        begin = len(columns) - read.differing
        self._tail_conversions = tuple((at - begin, convert) for at, convert in self._conversions if at >= begin)

    def answer(self, rows: Sequence[Sequence[Any]]) -> list[Answer]:
        """Turn what the driver gave into what SQLAlchemy would give."""
        if not rows:
            return []
        first = self._row(_converted(rows[0], self._conversions))
        others = [tuple(_converted(row[self._tail :], self._tail_conversions)) for row in rows[1:]]
        return [Answer(first, (first[self._tail :], *others))]


def _maker_of_rows(names: list[str]) -> Callable[[list[Any]], Any]:
    row: Any = namedtuple("Row", names)  # type: ignore[misc]  # noqa: PYI024 - the names are the statement's
    make: Callable[[list[Any]], Any] = row._make
    return make


def _converted(row: Sequence[Any], conversions: _Conversions) -> list[Any]:
    values = list(row)
    for at, convert in conversions:
        if values[at] is not None:
            values[at] = convert(values[at])
    return values
