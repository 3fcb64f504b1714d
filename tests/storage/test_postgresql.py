"""PostgreSQL doing what servers do: it refuses, restarts, falls silent, turns read-only, becomes a standby."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.config.database_url import PostgresqlServer
from gateway.errors import ConnectionLost, DatabaseUnavailable, Unavailable
from gateway.revocation.transaction import begin
from gateway.storage import postgresql as postgresql_module
from gateway.storage import postgresql_hosts as hosts_module
from gateway.storage.database import Database
from gateway.storage.engines import READ_CONNECTIONS
from tests.support.commands import run_gateway
from tests.support.gateway import ADMIN_EMAIL, environment
from tests.support.servers.postgresql import PostgresqlProcess
from tests.support.servers.processes import free_port
from tests.support.servers.relay import running_relay

INSERT = text("INSERT INTO secret_fingerprints VALUES (:name, 'f', now())")
# What the product promises of a server that says nothing, and some room for a busy machine.
SOON_SECONDS = 10


@pytest.fixture
def url(postgresql: PostgresqlProcess) -> str:
    """A migrated database with nothing in it, on the server of all tests."""
    return postgresql.new_database()


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    """It, opened."""
    database = Database.open(PostgresqlServer(url))
    try:
        yield database
    finally:
        await database.close()


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait in the real world's seconds."""
    monkeypatch.setattr(postgresql_module, "_SILENT_AFTER_SECONDS", 0.3)
    monkeypatch.setattr(postgresql_module, "_IDLE_IN_TRANSACTION_SECONDS", 0.3)
    monkeypatch.setattr(hosts_module, "_CONNECT_WITHIN_SECONDS", 0.5)


async def _pid(connection: AsyncConnection) -> int:
    return int((await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one())


async def _insert(database: Database, name: str) -> None:
    async with database.write() as connection:
        await connection.execute(INSERT, {"name": name})


async def _names(database: Database) -> set[str]:
    async with database.read() as connection:
        return set((await connection.execute(text("SELECT name FROM secret_fingerprints"))).scalars())


async def _fill(database: Database) -> None:
    """Open every connection that there may be."""
    async with AsyncExitStack() as stack:
        for _ in range(READ_CONNECTIONS):
            await _pid(await stack.enter_async_context(database.read()))
        await stack.enter_async_context(database.write())


async def _refusal(url: str) -> DatabaseUnavailable:
    database = Database.open(PostgresqlServer(url))
    try:
        with pytest.raises(DatabaseUnavailable) as refusal:
            await database.ask(_pid)
    finally:
        await database.close()
    return refusal.value


@pytest.mark.parametrize(
    ("written", "cure"),
    [
        ("postgresql://eve:s3cret@127.0.0.1:{port}/postgres", "user or the password"),
        ("postgresql://poor:s3cret@127.0.0.1:{port}/postgres", "max_connections"),
        ("postgresql://postgres:s3cret@127.0.0.1:{port}/missing", "CREATE DATABASE"),
        ("postgresql://postgres:s3cret@127.0.0.1:{closed}/postgres", "Connect call failed"),
        ("postgresql://postgres:s3cret@127.0.0.1:{silent}/postgres", "host and port"),
        ("postgresql://postgres:s3cret/@127.0.0.1:{port}/postgres", "written as %XX"),
        ("postgresql://postgres:s3cret#@127.0.0.1:{port}/postgres", "written as %XX"),
        ("postgresql://postgres:s3cret@127.0.0.1:{port}/postgres?sslmode=s3cret", "cannot be used"),
        ("postgresql://postgres:s3cret@127.0.0.1:{port}/postgres?sslmode=require", "SSL"),
        ("postgresql://postgres:s3cret@127.0.0.1:{port}/postgres?sslmode=verify-full&sslrootcert=/s3cret", "not there"),
        ("postgresql://postgres:s3cret@127.0.0.1:{port}/latin", "its encoding is LATIN1: make it anew with ENCODING"),
    ],
)
@pytest.mark.usefixtures("_impatient")
async def test_server_that_refuses_is_named_with_the_cure_and_without_the_password(
    postgresql: PostgresqlProcess, written: str, cure: str
) -> None:
    postgresql.execute("DROP DATABASE IF EXISTS latin")
    postgresql.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    postgresql.execute("DROP ROLE IF EXISTS poor; CREATE ROLE poor LOGIN CONNECTION LIMIT 0")
    async with running_relay(postgresql.port) as relay:
        await relay.black_hole()
        refusal = await _refusal(written.format(port=postgresql.port, closed=free_port(), silent=relay.port))
    assert cure in str(refusal)
    assert "s3cret" not in str(refusal)
    # What a client is told.
    assert refusal.message == Unavailable.sentence


async def test_commands_make_an_installation_and_say_what_is_in_the_way(
    postgresql: PostgresqlProcess, tmp_path: Path
) -> None:
    url = postgresql.new_database(template="template1")
    environ = environment(tmp_path, DATABASE_URL=url)
    assert "went from revision none" in (await run_gateway("migrate", environ=environ)).out
    assert f"Created {ADMIN_EMAIL}" in (await run_gateway("bootstrap", environ=environ)).out
    assert "up to date" in (await run_gateway("migrate", environ=environ)).out
    environ["DATABASE_URL"] = f"postgresql://eve:s3cret@127.0.0.1:{postgresql.port}/nothing"
    failed = await run_gateway("migrate", environ=environ)
    assert (failed.code, failed.out) == (1, "")
    assert failed.err.startswith(
        f"Error: the database postgresql://********@127.0.0.1:{postgresql.port}/nothing cannot"
    )
    assert "s3cret" not in failed.err


async def test_role_that_does_not_own_its_database_is_told_to(postgresql: PostgresqlProcess, tmp_path: Path) -> None:
    name = postgresql.new_database(template="template1").rpartition("/")[2]
    postgresql.execute("DROP ROLE IF EXISTS guest; CREATE ROLE guest LOGIN")
    environ = environment(tmp_path, DATABASE_URL=f"postgresql://guest@127.0.0.1:{postgresql.port}/{name}")
    refused = await run_gateway("migrate", environ=environ)
    assert refused.code == 1
    assert "permission denied for schema public (let the user of DATABASE_URL own the database" in refused.err
    postgresql.execute(f"ALTER DATABASE {name} OWNER TO guest")
    assert (await run_gateway("migrate", environ=environ)).code == 0


async def test_restarted_server_costs_no_error(postgresql: PostgresqlProcess, database: Database) -> None:
    await _fill(database)
    postgresql.stop()
    refusal = await asyncio.gather(database.ask(_pid), return_exceptions=True)
    postgresql.start()
    assert isinstance(refusal[0], DatabaseUnavailable)
    await asyncio.gather(_insert(database, "a"), *(_names(database) for _ in range(2 * READ_CONNECTIONS)))
    assert await _names(database) == {"a"}


async def test_server_that_is_going_down_says_so(postgresql: PostgresqlProcess, database: Database) -> None:
    async with database.read() as connection:
        await _pid(connection)
        # It takes nobody else from now on, and waits for whoever is there.
        os.kill(postgresql.pid, signal.SIGTERM)
        refusal = await _refusal(postgresql.url("postgres"))
        while "try again in a moment" not in str(refusal):
            refusal = await _refusal(postgresql.url("postgres"))
    postgresql.stop()
    postgresql.start()


async def test_read_is_asked_once_more_when_its_connection_is_lost(database: Database) -> None:
    asked = []

    async def question(connection: AsyncConnection) -> int:
        asked.append(await _pid(connection))
        if len(asked) == 1:
            await connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return await _pid(connection)

    assert await database.ask(question) == asked[1] != asked[0]


async def test_read_that_loses_two_connections_is_unavailable(database: Database) -> None:
    async def question(connection: AsyncConnection) -> None:
        await connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(ConnectionLost):
        await database.ask(question)
    assert await _names(database) == set()


async def test_write_that_loses_its_connection_is_unavailable_and_leaves_nothing(database: Database) -> None:
    """N2. It may have been committed: whoever did it again might do it twice."""

    async def write() -> None:
        async with database.write() as connection:
            await connection.execute(INSERT, {"name": "a"})
            await connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(ConnectionLost):
        await write()
    await _insert(database, "b")
    assert await _names(database) == {"b"}


async def test_what_may_have_been_committed_is_forgotten_here(database: Database) -> None:
    """A7: whoever asked was told "unavailable", and does not know either."""
    rang: list[str] = []

    async def revoke(last_words: str) -> None:
        async with begin(database, doorbell=rang.append) as transaction:
            await transaction.invalidate("session:one")
            await transaction.connection.execute(text(last_words))

    with pytest.raises(ConnectionLost):
        # Nothing was said to be committed yet.
        await revoke("SELECT pg_terminate_backend(pg_backend_pid())")
    assert rang == []
    engine = database._writer.sync_engine  # noqa: SLF001 - the commit is beneath what is public
    event.listen(engine, "commit", lambda connection: connection.connection.driver_connection.terminate(), once=True)
    with pytest.raises(ConnectionLost):
        await revoke("SELECT 1")
    assert rang == ["session:one"]


@pytest.mark.usefixtures("_impatient")
async def test_silent_server_keeps_nobody_waiting_and_heals(postgresql: PostgresqlProcess, url: str) -> None:
    """N2."""
    async with running_relay(postgresql.port) as relay:
        database = Database.open(PostgresqlServer(url.replace(str(postgresql.port), str(relay.port))))
        await _fill(database)
        await relay.black_hole()
        async with asyncio.timeout(SOON_SECONDS):
            outcomes = await asyncio.gather(
                _insert(database, "a"), *(_names(database) for _ in range(2 * READ_CONNECTIONS)), return_exceptions=True
            )
        assert [type(outcome) for outcome in outcomes] == [DatabaseUnavailable] * len(outcomes)
        await relay.refuse()
        await relay.pass_on()
        await _fill(database)
        await database.close()


async def test_silent_server_does_not_hold_up_the_end(postgresql: PostgresqlProcess, url: str) -> None:
    async with running_relay(postgresql.port) as relay:
        database = Database.open(PostgresqlServer(url.replace(str(postgresql.port), str(relay.port))))
        await _fill(database)
        await relay.black_hole()
        async with asyncio.timeout(SOON_SECONDS):
            await database.close()


@pytest.mark.usefixtures("_impatient")
async def test_writer_that_froze_in_the_middle_holds_up_the_others_for_a_moment(url: str, database: Database) -> None:
    frozen = Database.open(PostgresqlServer(url))
    holds, done = asyncio.Event(), asyncio.Event()

    async def freeze() -> None:
        async with frozen.write() as connection:
            await connection.execute(INSERT, {"name": "frozen"})
            holds.set()
            await done.wait()

    freezing = asyncio.create_task(freeze())
    await holds.wait()
    try:
        async with asyncio.timeout(SOON_SECONDS):
            await _insert(database, "a")
    finally:
        done.set()
        [outcome] = await asyncio.gather(freezing, return_exceptions=True)
        await frozen.close()
    assert isinstance(outcome, ConnectionLost)
    assert await _names(database) == {"a"}


async def test_processes_that_check_and_then_act_have_nobody_between(
    postgresql: PostgresqlProcess, database: Database, url: str
) -> None:
    """N1. What this server would do by itself: let a transaction see only what was there when it began."""
    name = url.rpartition("/")[2]
    postgresql.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = 'repeatable read'")
    others = [Database.open(PostgresqlServer(url)) for _ in range(3)]

    async def act(where: Database) -> None:
        async with where.write() as connection:
            count = (await connection.execute(text("SELECT count(*) FROM secret_fingerprints"))).scalar_one()
            await connection.execute(INSERT, {"name": str(count)})

    try:
        await asyncio.gather(*(act(where) for where in others for _ in range(10)))
    finally:
        for other in others:
            await other.close()
    assert await _names(database) == {str(number) for number in range(30)}


async def test_read_only_server_is_unavailable_to_writes_and_heals(
    postgresql: PostgresqlProcess, database: Database, url: str
) -> None:
    """N2."""
    name = url.rpartition("/")[2]
    await _insert(database, "a")
    postgresql.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    # What an administrator sets holds for connections that are opened from then on.
    postgresql.stop()
    postgresql.start()
    for _ in range(2):
        with pytest.raises(Unavailable):
            await _insert(database, "b")
        assert await _names(database) == {"a"}
    postgresql.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    await _insert(database, "b")
    assert await _names(database) == {"a", "b"}


async def test_long_migration_is_not_cut_short(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in ("_STATEMENT_WITHIN_SECONDS", "_SILENT_AFTER_SECONDS"):
        monkeypatch.setattr(postgresql_module, limit, 0.1)
    slow = text("SELECT pg_sleep(0.3)")
    async with database.change_tables() as connection:
        await connection.execute(slow)
    with pytest.raises(DatabaseUnavailable, match=r"statement timeout|did not answer"):
        async with database.write() as connection:
            await connection.execute(slow)


@pytest.mark.usefixtures("_impatient")
async def test_host_that_says_nothing_is_asked_last_from_then_on(postgresql: PostgresqlProcess, url: str) -> None:
    """Somebody with less patience than a connection takes finds the next host, too."""
    async with running_relay(postgresql.port) as relay:
        await relay.black_hole()
        several = url.replace("@", f"@127.0.0.1:{relay.port},127.0.0.1:{free_port()},")
        database = Database.open(PostgresqlServer(several))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await database.ask(_pid)
        async with asyncio.timeout(0.3):
            await _insert(database, "a")
        await _fill(database)
        await database.close()


async def test_standby_is_refused_until_it_is_the_primary(postgresql: PostgresqlProcess, url: str) -> None:
    """Read there, a session that was revoked on the primary would be good still."""
    with postgresql.running_standby() as standby:
        alone = url.replace(str(postgresql.port), str(standby.port))
        assert "standby" in str(await _refusal(alone))
        database = Database.open(PostgresqlServer(url.replace("@", f"@127.0.0.1:{standby.port},")))
        try:
            await _insert(database, "a")
            postgresql.stop()
            with pytest.raises(DatabaseUnavailable):
                await _insert(database, "b")
            standby.execute("SELECT pg_promote()")
            await _insert(database, "c")
            assert await _names(database) == {"a", "c"}
        finally:
            await database.close()
            postgresql.start()
