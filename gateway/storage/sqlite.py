"""SQLite: one file of this machine, in WAL mode."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, event
from sqlalchemy.util import await_only, greenlet_spawn

from gateway.errors import Unavailable
from gateway.storage.asyncio_engine import create_async_engine
from gateway.storage.engines import LOCK_WAIT_SECONDS, READ_CONNECTIONS, Engines
from gateway.storage.sqlite_reader import SqliteReader

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection, Dialect
    from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor, ExceptionContext

# Between two attempts to switch to WAL: SQLite does not wait for that lock by itself.
_LOCK_RETRY_SECONDS = 0.05

# FULL: an acknowledged revocation survives a power cut. foreign_keys is off by default in SQLite.
_PRAGMAS = (
    "PRAGMA synchronous=FULL",
    f"PRAGMA busy_timeout={LOCK_WAIT_SECONDS * 1000}",
    "PRAGMA foreign_keys=ON",
)


def sqlite_engines(path: Path) -> Engines:
    """Prepare connections to the file; it is created with the first one, readable by its owner only."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError as error:
        message = f"the database {path} cannot be opened ({error.strerror}): set GATEWAY_DATA_DIR to a writable folder"
        raise Unavailable(message) from error
    url = URL.create("sqlite+aiosqlite", database=str(path))
    readers = create_async_engine(url, pool_size=READ_CONNECTIONS, pool_timeout=LOCK_WAIT_SECONDS)
    # SQLite has one writer at a time: queueing here is fair and costs no busy waiting.
    writer = create_async_engine(url, pool_size=1, max_overflow=0, pool_timeout=LOCK_WAIT_SECONDS)
    for engine in (readers, writer):
        event.listen(engine.sync_engine, "do_connect", _connect)
        event.listen(engine.sync_engine, "connect", _prepare)
        event.listen(engine.sync_engine, "handle_error", _end_statement)
    event.listen(writer.sync_engine, "begin", _begin_immediate)
    # More than a few are made as they are needed.
    short_way = SqliteReader(path, readers.dialect)
    return Engines(readers=readers, writer=writer, lasting=readers, migrator=writer, short_way=short_way)


def _connect(
    dialect: Dialect,
    _record: Any,  # noqa: ANN401 - SQLAlchemy's signature
    arguments: list[Any],
    options: dict[str, Any],
) -> DBAPIConnection:
    """Connect to the end even where nobody waits for it any more.

    The driver would leave its thread behind, which reports to the event loop: perhaps when that is closed.
    """
    connecting = asyncio.ensure_future(greenlet_spawn(dialect.connect, *arguments, **options))
    try:
        return await_only(asyncio.shield(connecting))
    except asyncio.CancelledError:
        # Whatever goes wrong with it, what is raised is that this was cancelled: a stop waits for that.
        with suppress(Exception):
            await_only(connecting).close()
        raise


def _prepare(connection: DBAPIConnection, _record: Any) -> None:  # noqa: ANN401 - SQLAlchemy's signature
    # The driver's own transaction handling begins late and deferred; in WAL mode such a transaction fails
    # with "database is locked" as soon as it reads and then writes. We begin ourselves.
    connection.isolation_level = None
    # The cursor is closed whatever happens: see `_end_statement`.
    with closing(connection.cursor()) as cursor:
        _switch_to_wal(cursor)
        for pragma in _PRAGMAS:
            cursor.execute(pragma)


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _end_statement(failed: ExceptionContext) -> None:
    """End a statement that was cancelled with rows left to read, before its connection is closed.

    SQLite keeps a closed connection open beneath while it has such a statement, which is held by the traceback until
    the garbage is collected: the transaction would go on. Nobody else could write, or empty the WAL if it only reads.
    """
    if isinstance(failed.original_exception, asyncio.CancelledError) and failed.execution_context is not None:
        # Whatever goes wrong with it, what is raised is that this was cancelled.
        with suppress(Exception):
            failed.execution_context.cursor.close()


def _switch_to_wal(cursor: DBAPICursor) -> None:
    """Switch the file to WAL, which it then stays; another process may be just making it."""
    deadline = time.monotonic() + LOCK_WAIT_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            await_only(asyncio.sleep(_LOCK_RETRY_SECONDS))
        else:
            return
