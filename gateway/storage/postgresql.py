"""PostgreSQL: a server, for as many processes and machines as there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError

from gateway.storage.asyncio_engine import create_async_engine
from gateway.storage.engines import LOCK_WAIT_SECONDS, READ_CONNECTIONS, Engines
from gateway.storage.postgresql_hosts import PostgresqlHosts
from gateway.storage.postgresql_reader import PostgresqlReader

if TYPE_CHECKING:
    import asyncpg
    from sqlalchemy import Connection
    from sqlalchemy.engine.interfaces import ExceptionContext
    from sqlalchemy.ext.asyncio import AsyncEngine

    from gateway.config.database_url import PostgresqlServer

_STATEMENT_WITHIN_SECONDS = 5
# After the server's own deadline: what has said nothing by then is not slow but gone.
_SILENT_AFTER_SECONDS = 6
# A process that froze or was cut off inside a transaction holds up every other writer for no longer than this.
_IDLE_IN_TRANSACTION_SECONDS = 3
# Between two statements of a migration there is only a little Python.
_IDLE_IN_MIGRATION_SECONDS = 60

# The number of the lock that every write transaction takes first: "gateway" in ASCII.
_WRITER_LOCK = int.from_bytes(b"gateway")

# A connection, an intervention of the operator (such as a shutdown), a transaction that was idle for too long; and a
# server that takes no writes: another one may be the primary by now.
_LOST = ("08", "57P", "25P03", "25006")


def postgresql_engines(server: PostgresqlServer) -> Engines:
    """Prepare connections to the server; the first one is opened when it is needed."""
    hosts = PostgresqlHosts(server)

    async def connect() -> asyncpg.Connection:
        limits = _limits(_STATEMENT_WITHIN_SECONDS, LOCK_WAIT_SECONDS, _IDLE_IN_TRANSACTION_SECONDS)
        return await hosts.connect(command_timeout=_SILENT_AFTER_SECONDS, server_settings=limits)

    async def connect_without_limits() -> asyncpg.Connection:
        return await hosts.connect(server_settings=_limits(0, 0, _IDLE_IN_MIGRATION_SECONDS))

    readers = _engine(connect, connections=READ_CONNECTIONS, isolation_level="AUTOCOMMIT")
    # One connection, as with SQLite: transactions of one process queue here, and those of others at the lock.
    writer = _engine(connect)
    migrator = _engine(connect_without_limits)
    for engine in (writer, migrator):
        event.listen(engine.sync_engine, "begin", _become_the_writer)
    # The second one takes over from a first one that has gone silent.
    lasting = _engine(connect, connections=2, isolation_level="AUTOCOMMIT")
    short_way = PostgresqlReader(connect, readers.dialect)
    return Engines(readers=readers, writer=writer, lasting=lasting, migrator=migrator, short_way=short_way)


def _engine(connect: Any, *, connections: int = 1, **options: Any) -> AsyncEngine:  # noqa: ANN401 - SQLAlchemy's
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=LOCK_WAIT_SECONDS,
        **options,
    )
    event.listen(engine.sync_engine, "checkout", _require_open)
    event.listen(engine.sync_engine, "handle_error", _notice_loss)
    event.listen(engine.sync_engine, "close", _hang_up)
    event.listen(engine.sync_engine, "close_detached", _hang_up)
    return engine


def _limits(statement: int, lock: int, idle_in_transaction: int) -> dict[str, str]:
    return {
        "application_name": "gateway",
        "statement_timeout": f"{statement}s",
        "lock_timeout": f"{lock}s",
        "idle_in_transaction_session_timeout": f"{idle_in_transaction}s",
        # With any other, a transaction would go on seeing what was there before it waited for the writer's lock.
        "default_transaction_isolation": "read committed",
    }


def _require_open(connection: Any, _record: object, _proxy: object) -> None:  # noqa: ANN401 - SQLAlchemy's signature
    """Let the pool replace a connection that the server has closed, before anybody uses it."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError


def _notice_loss(failure: ExceptionContext) -> None:
    """Let the pool drop its connections where SQLAlchemy sees only a statement that failed."""
    error = failure.original_exception
    if isinstance(error, OSError) or (getattr(error, "sqlstate", None) or "").startswith(_LOST):
        failure.is_disconnect = True


def _hang_up(connection: Any, *_: object) -> None:  # noqa: ANN401 - SQLAlchemy's signature
    """Close without a goodbye: a server that has gone silent would let everybody wait for its own."""
    connection.driver_connection.terminate()


def _become_the_writer(connection: Connection) -> None:
    """Wait until no other transaction writes: what was checked then still holds at the commit.

    So the numbers of the invalidation log become visible in their order, too.
    """
    connection.exec_driver_sql("SELECT pg_advisory_xact_lock($1)", (_WRITER_LOCK,))
