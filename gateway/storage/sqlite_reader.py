"""Reading SQLite in the event loop: microseconds, where handing the question to a thread costs a hundred times that."""

from __future__ import annotations

import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.storage.prepared_reads import CompiledRead, PreparedRead, Row

if TYPE_CHECKING:
    from sqlalchemy import Dialect

# How long nobody tries again what could not be opened.
_PAUSE_SECONDS = 1.0


class SqliteReader:
    """A connection that cannot write and never waits: whatever is in its way is for the ordinary way to find out."""

    answers_at_once = True

    def __init__(self, path: Path, dialect: Dialect) -> None:
        self._path = path
        self._dialect = dialect
        self._compiled: dict[PreparedRead, CompiledRead] = {}
        self._connection: sqlite3.Connection | None = None
        self._pause_ends_at = 0.0

    async def ask(self, read: PreparedRead, wanted: str | bytes) -> list[Row] | None:
        return self.ask_at_once(read, wanted)

    def ask_at_once(self, read: PreparedRead, wanted: str | bytes) -> list[Row] | None:
        compiled = self._compiled.get(read)
        if compiled is None:
            compiled = self._compiled[read] = CompiledRead(read.statement, self._dialect)
        try:
            rows = self._rows(compiled, wanted)
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_BUSY:
                self._hang_up()
                self._pause_ends_at = time.monotonic() + _PAUSE_SECONDS
            return None
        return None if rows is None else [compiled.row(list(row)) for row in rows]

    async def close(self) -> None:
        self._hang_up()

    def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()

    def _rows(self, compiled: CompiledRead, wanted: str | bytes) -> list[Any] | None:
        if self._connection is None:
            if time.monotonic() < self._pause_ends_at:
                return None
            self._connection = self._open()
        # To the end: a statement that was not would hold on to the commit that it began with.
        return self._connection.execute(compiled.text, (wanted,)).fetchall()

    def _open(self) -> sqlite3.Connection:
        # Without isolation level each statement is by itself; without time-out nobody waits in the loop for a lock.
        return sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=0)
