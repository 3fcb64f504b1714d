"""Connections: what holds on each of them, and what a failing engine becomes."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import aiosqlite
import pytest
from sqlalchemy import Row, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.config.database_url import DatabaseAddress, SqliteFile
from gateway.errors import Unavailable
from gateway.storage import sqlite as sqlite_module
from gateway.storage.database import Database
from gateway.storage.engines import READ_CONNECTIONS
from gateway.storage.migrate import migrate
from tests.support.database import Disk

FULL = 2
INSERT = text("INSERT INTO secret_fingerprints VALUES (:name, 'f', '2026-01-01 00:00:00')")


async def _count(database: Database) -> int:
    async with database.read() as connection:
        return int((await connection.execute(text("SELECT count(*) FROM secret_fingerprints"))).scalar_one())


async def _pragmas(connection: AsyncConnection) -> tuple[object, ...]:
    names = ("journal_mode", "synchronous", "foreign_keys")
    return tuple([(await connection.exec_driver_sql(f"PRAGMA {name}")).scalar_one() for name in names])


async def test_every_connection_is_durable_and_keeps_foreign_keys(database: Database) -> None:
    async with AsyncExitStack() as stack:
        connections = [await stack.enter_async_context(database.read()) for _ in range(6)]
        connections.append(await stack.enter_async_context(database.write()))
        own = await database.connect()
        connections.append(own)
        assert [await _pragmas(connection) for connection in connections] == [("wal", FULL, 1)] * 8
        await own.close()


@pytest.mark.both_databases
async def test_broken_foreign_key_is_refused(database: Database) -> None:
    with pytest.raises(IntegrityError):
        async with database.write() as connection:
            await connection.execute(
                text("INSERT INTO workspaces VALUES ('w', 'no such organization', 'x', '2026-01-01 00:00:00', 'x')")
            )


@pytest.mark.both_databases
async def test_write_is_seen_once_it_is_committed(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(INSERT, {"name": "a"})
        assert await _count(database) == 0
    assert await _count(database) == 1


@pytest.mark.both_databases
async def test_reading_connection_sees_each_later_commit(database: Database) -> None:
    async with database.read() as reader:
        for expected in range(3):
            assert (await reader.execute(text("SELECT count(*) FROM secret_fingerprints"))).scalar_one() == expected
            async with database.write() as connection:
                await connection.execute(INSERT, {"name": str(expected)})


@pytest.mark.both_databases
async def test_write_that_raises_leaves_nothing(database: Database) -> None:
    async def write() -> None:
        async with database.write() as connection:
            await connection.execute(INSERT, {"name": "a"})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await write()
    assert await _count(database) == 0


@pytest.mark.both_databases
async def test_write_that_is_cancelled_leaves_nothing_and_gives_its_place_back(database: Database, disk: Disk) -> None:
    """There is one writing connection: lost, nobody could log in any more."""
    for statement in ("BEGIN", "INSERT", "COMMIT-less end"):
        held = asyncio.Event()

        async def write(statement: str = statement, held: asyncio.Event = held) -> None:
            if statement == "BEGIN":
                disk.stop()
            async with database.write() as connection:
                if statement == "INSERT":
                    disk.stop()
                await connection.execute(INSERT, {"name": "a"})
                held.set()
                await asyncio.Event().wait()

        writing = asyncio.create_task(write())
        await (held.wait() if statement == "COMMIT-less end" else disk.reached.wait())
        writing.cancel()
        await asyncio.wait([writing])
        disk.go_on()
        disk.reached.clear()
        assert writing.cancelled()
        async with asyncio.timeout(5), database.write() as connection:
            await connection.execute(INSERT, {"name": statement})
    assert await _count(database) == 3


@pytest.mark.both_databases
async def test_whoever_goes_away_leaves_the_connections_to_the_others(database: Database, disk: Disk) -> None:
    """More of them than there are connections: lost ones would soon be missed."""

    async def read() -> None:
        async with database.read() as connection:
            await connection.execute(text("SELECT 1"))
            await connection.execute(text("SELECT 2"))

    async def write() -> None:
        async with database.write() as connection:
            await connection.execute(INSERT, {"name": "a"})

    for statement in ("SELECT 1", "SELECT 2", "BEGIN", "INSERT"):
        for _ in range(13):
            work = asyncio.create_task(read() if "SELECT" in statement else write())
            seen = disk.expect("" if statement == "BEGIN" else statement)
            await seen.wait()
            work.cancel()
            await asyncio.wait([work])
    async with asyncio.timeout(5), AsyncExitStack() as stack:
        for _ in range(READ_CONNECTIONS):
            await (await stack.enter_async_context(database.read())).execute(text("SELECT 1"))
        await write()
    assert await _count(database) == 1


@pytest.mark.parametrize("failure", [None, sqlite3.OperationalError(), RuntimeError()])
async def test_connection_that_is_cancelled_halfway_leaves_no_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception | None
) -> None:
    """The driver's thread would report to an event loop that may be closed by then."""
    begun, go_on = threading.Event(), threading.Event()
    open_file = sqlite3.connect
    opening: list[threading.Thread] = []

    def open_when_told(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - sqlite3's signature
        opening.append(threading.current_thread())
        begun.set()
        go_on.wait()
        if failure is not None:
            raise failure
        return open_file(*arguments, **options)

    monkeypatch.setattr(sqlite3, "connect", open_when_told)
    async with Database.opened(SqliteFile(tmp_path / "gateway.db")) as database:
        asking = asyncio.create_task(_count(database))
        await asyncio.to_thread(begun.wait)
        asking.cancel()
        for _ in range(100):
            await asyncio.sleep(0)
        assert not asking.done()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await asking
    (thread,) = opening
    await asyncio.to_thread(thread.join)


@pytest.mark.both_databases
async def test_writes_stand_in_line_instead_of_failing(database: Database) -> None:
    async def write(name: str) -> None:
        async with database.write() as connection:
            count = (await connection.execute(text("SELECT count(*) FROM secret_fingerprints"))).scalar_one()
            await connection.execute(INSERT, {"name": f"{name} after {count}"})

    await asyncio.gather(*(write(str(number)) for number in range(50)))
    async with database.read() as connection:
        names = (await connection.execute(text("SELECT name FROM secret_fingerprints"))).scalars()
        assert sorted(int(name.rpartition(" ")[2]) for name in names) == list(range(50)), "read and write are one"


@pytest.mark.both_databases
async def test_two_processes_that_read_and_then_write_do_not_fail(
    database: Database, database_address: DatabaseAddress
) -> None:
    """In SQLite a transaction that begins deferred dies with "database is locked" here."""
    other = Database.open(database_address)

    async def write(where: Database, name: str) -> None:
        async with where.write() as connection:
            await connection.execute(text("SELECT count(*) FROM secret_fingerprints"))
            await connection.execute(INSERT, {"name": name})

    try:
        ours = [write(database, f"ours {number}") for number in range(10)]
        theirs = [write(other, f"theirs {number}") for number in range(10)]
        await asyncio.gather(*ours, *theirs)
        assert await _count(database) == 20
    finally:
        await other.close()


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for locks in the real world's seconds."""
    pragmas = [pragma for pragma in sqlite_module._PRAGMAS if "busy_timeout" not in pragma]  # noqa: SLF001
    monkeypatch.setattr(sqlite_module, "_PRAGMAS", (*pragmas, "PRAGMA busy_timeout=20"))


@pytest.mark.usefixtures("_impatient")
async def test_locked_database_is_unavailable_and_heals(tmp_path: Path) -> None:
    """N2."""
    path = tmp_path / "gateway.db"
    database = Database.open(SqliteFile(path))
    await migrate(database)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for _ in range(3):
            with pytest.raises(Unavailable):
                async with database.write():
                    pass
        assert await _count(database) == 0, "reading goes on"
        other.execute("ROLLBACK")
    async with database.write() as connection:
        await connection.execute(INSERT, {"name": "a"})
    assert await _count(database) == 1
    await database.close()


@contextmanager
def rows_that_do_not_come(statement: str) -> Iterator[asyncio.Event]:
    """Let a statement be executed, which sets the event, and its rows never be read."""
    execute, executed = aiosqlite.Cursor.execute, asyncio.Event()

    async def execute_and_wait(cursor: aiosqlite.Cursor, sql: str, parameters: Iterable[Any] | None = None) -> None:
        await execute(cursor, sql, parameters)
        if sql == statement:
            executed.set()
            await asyncio.Event().wait()

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(aiosqlite.Cursor, "execute", execute_and_wait)
        yield executed


async def ask(begin: Callable[[], AbstractAsyncContextManager[AsyncConnection]], statement: str) -> Row[Any] | None:
    async with begin() as connection:
        return (await connection.exec_driver_sql(statement)).first()


async def cancelled(asking: Coroutine[Any, Any, Any], statement: str) -> BaseException:
    """Cancel it where rows of the statement are left to read, and give what it raised."""
    with rows_that_do_not_come(statement) as executed:
        task = asyncio.create_task(asking)
        await executed.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as raised:
            await task
    return raised.value


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize("statement", ["PRAGMA journal_mode=WAL", "SELECT 1"])
async def test_statement_that_is_cancelled_with_rows_left_to_read_locks_nobody_out(
    tmp_path: Path, statement: str
) -> None:
    """Whoever keeps the exception keeps its statement as well; as a rule the garbage does, for a while."""
    async with Database.opened(SqliteFile(tmp_path / "gateway.db")) as database:
        kept = await cancelled(ask(database.write, "SELECT 1"), statement)
        await ask(database.write, "SELECT 1")
    assert kept.__traceback__ is not None


@pytest.mark.usefixtures("_impatient")
async def test_read_that_is_cancelled_with_rows_left_to_read_lets_the_log_be_emptied(tmp_path: Path) -> None:
    """Otherwise what it began to read stays what SQLite has to keep, and the WAL grows."""
    select = "SELECT name FROM sqlite_schema"
    async with Database.opened(SqliteFile(tmp_path / "gateway.db")) as database:
        await migrate(database)
        kept = await cancelled(ask(database.read, select), select)
        async with database.write() as connection:
            await connection.exec_driver_sql("CREATE TABLE written (since TEXT)")
        assert await ask(database.read, "PRAGMA wal_checkpoint(TRUNCATE)") == (0, 0, 0)
    assert kept.__traceback__ is not None


async def test_statement_that_cannot_be_ended_either_is_still_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def close(_cursor: aiosqlite.Cursor) -> None:
        raise sqlite3.OperationalError

    async with Database.opened(SqliteFile(tmp_path / "gateway.db")) as database:
        await ask(database.write, "SELECT 1")
        with monkeypatch.context() as patched:
            patched.setattr(aiosqlite.Cursor, "close", close)
            await cancelled(ask(database.write, "SELECT 2"), "SELECT 2")


@pytest.mark.both_databases
async def test_failing_disk_is_unavailable_and_heals(database: Database, disk: Disk) -> None:
    """N2."""
    disk.broken = True
    for _ in range(30):
        with pytest.raises(Unavailable):
            await _count(database)
        with pytest.raises(Unavailable):
            async with database.write():
                pass
    disk.broken = False
    assert await _count(database) == 0
    async with database.write() as connection:
        await connection.execute(INSERT, {"name": "a"})
    assert await _count(database) == 1


@pytest.mark.both_databases
async def test_disk_that_fails_in_the_middle_of_a_write_leaves_nothing(database: Database, disk: Disk) -> None:
    async def write() -> None:
        async with database.write() as connection:
            await connection.execute(INSERT, {"name": "a"})
            disk.broken = True
            await connection.execute(INSERT, {"name": "b"})

    with pytest.raises(Unavailable):
        await write()
    disk.broken = False
    assert await _count(database) == 0


async def test_no_place_in_line_within_the_deadline_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_module, "LOCK_WAIT_SECONDS", 0.02)
    database = Database.open(SqliteFile(tmp_path / "gateway.db"))
    async with database.write():
        with pytest.raises(Unavailable):
            async with database.write():
                pass
    async with database.write():
        pass
    await database.close()


async def test_what_is_no_database_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    path.write_bytes(b"this is no database, but long enough to be taken for one" * 100)
    database = Database.open(SqliteFile(path))
    with pytest.raises(Unavailable):
        await _count(database)
    with pytest.raises(Unavailable):
        await migrate(database)
    await database.close()


async def test_folder_that_vanished_is_unavailable(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    before = set(threading.enumerate())
    database = Database.open(SqliteFile(folder / "gateway.db"))
    (folder / "gateway.db").unlink()
    folder.rmdir()
    with pytest.raises(Unavailable):
        await _count(database)
    await database.close()
    # The driver does not wait for the thread of a connection that never came about; the loop must not end before it.
    for thread in set(threading.enumerate()) - before:
        if "_connection_worker_thread" in thread.name:
            await asyncio.to_thread(thread.join)


async def test_folder_that_cannot_be_made_is_named_with_the_cure(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match="GATEWAY_DATA_DIR") as refusal:
        Database.open(SqliteFile(tmp_path / "file" / "gateway.db"))
    assert str(tmp_path) in refusal.value.message


@pytest.mark.both_databases
async def test_broken_constraint_stays_what_it_is(database: Database) -> None:
    async def write() -> None:
        async with database.write() as connection:
            await connection.execute(INSERT, {"name": "a"})
            await connection.execute(INSERT, {"name": "a"})

    with pytest.raises(IntegrityError):
        await write()
    assert await _count(database) == 0


async def test_file_is_its_owners_alone(tmp_path: Path) -> None:
    database = Database.open(SqliteFile(tmp_path / "data" / "gateway.db"))
    await migrate(database)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").iterdir()}
    assert set(modes) == {"gateway.db", "gateway.db-wal", "gateway.db-shm"}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    await database.close()


@pytest.mark.parametrize("folder", ["what?", "100%25", "a#b", "a b", "caf\u00e9", "a&mode=memory", "?mode=memory"])
async def test_folder_of_any_name_holds_the_file(tmp_path: Path, folder: str) -> None:
    """A path is no URL: what has a meaning there must not send the tables elsewhere."""
    path = tmp_path / folder / "gateway.db"
    database = Database.open(SqliteFile(path))
    try:
        await migrate(database)
        with closing(sqlite3.connect(path)) as plain:
            assert plain.execute("SELECT count(*) FROM accounts").fetchone() == (0,)
    finally:
        await database.close()
