"""The migrations: each step goes both ways, their sum is the tables, and many starts at once make one."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateTable

from gateway.config.database_url import DatabaseAddress, PostgresqlServer, SqliteFile
from gateway.errors import DatabaseTooNew
from gateway.storage.columns import metadata
from gateway.storage.database import Database
from gateway.storage.migrate import migrate, migration_config
from gateway.storage.tables import invalidations
from tests.support.servers.postgresql import PostgresqlProcess

REVISIONS = [step.revision for step in ScriptDirectory.from_config(migration_config()).walk_revisions()][::-1]


# What each engine keeps of its tables, however they came to be.
SCHEMA = {
    "sqlite": "SELECT sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' AND sql IS NOT NULL ORDER BY name",
    "postgresql": """
        SELECT concat_ws(' ', table_name, column_name, udt_name, character_maximum_length, is_nullable, column_default)
        FROM information_schema.columns WHERE table_schema = 'public'
        UNION SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid))
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
        UNION SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
        ORDER BY 1
    """,
}


@pytest.fixture
def empty_address(request: pytest.FixtureRequest, database_address: DatabaseAddress, tmp_path: Path) -> DatabaseAddress:
    """Where a database that nobody has migrated is."""
    if isinstance(database_address, SqliteFile):
        return SqliteFile(tmp_path / "empty.db")
    server: PostgresqlProcess = request.getfixturevalue("postgresql")
    return PostgresqlServer(server.new_database(template="template1"))


@pytest.fixture
async def empty(empty_address: DatabaseAddress) -> AsyncIterator[Database]:
    """It, opened."""
    database = Database.open(empty_address)
    yield database
    await database.close()


async def _schema(database: Database) -> list[str]:
    async with database.read() as connection:
        return list((await connection.execute(text(SCHEMA[connection.dialect.name]))).scalars())


def _differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "render_as_batch": True})
    return list(compare_metadata(context, metadata))


async def test_there_is_one_way_up() -> None:
    script = ScriptDirectory.from_config(migration_config())
    assert len(script.get_heads()) == len(script.get_bases()) == 1


@pytest.mark.both_databases
@pytest.mark.parametrize("step", range(len(REVISIONS)), ids=REVISIONS)
async def test_each_step_leads_up_down_and_up_again(empty: Database, step: int) -> None:
    below = REVISIONS[step - 1] if step else "base"
    await migrate(empty, target=below)
    before = await _schema(empty)
    await migrate(empty, target=REVISIONS[step])
    after = await _schema(empty)
    assert after != before
    await migrate(empty, target=below)
    # Alembic keeps its own, then empty, table.
    assert [sql for sql in await _schema(empty) if "alembic_version" not in sql] == [
        sql for sql in before if "alembic_version" not in sql
    ]
    await migrate(empty, target=REVISIONS[step])
    assert await _schema(empty) == after


@pytest.mark.both_databases
async def test_migrated_tables_are_the_ones_in_the_code(database: Database) -> None:
    async with database.write() as connection:
        assert await connection.run_sync(_differences) == []
        names = await connection.run_sync(lambda sync: set(inspect(sync).get_table_names()))
    assert names == set(metadata.tables) | {"alembic_version"}


async def test_log_numbers_are_never_given_twice(database: Database) -> None:
    """Alembic does not compare AUTOINCREMENT, without which SQLite gives the numbers of deleted rows again."""
    in_code = str(CreateTable(invalidations).compile(dialect=sqlite.dialect()))
    [in_file] = [sql for sql in await _schema(database) if "TABLE invalidations" in sql]
    assert "AUTOINCREMENT" in in_code
    assert "AUTOINCREMENT" in in_file


async def test_migration_says_where_it_began_and_ended(empty: Database) -> None:
    assert await migrate(empty) == (None, REVISIONS[-1])
    assert await migrate(empty) == (REVISIONS[-1], REVISIONS[-1])


async def test_second_migration_changes_nothing(database: Database) -> None:
    before = await _schema(database)
    await migrate(database)
    assert await _schema(database) == before


@pytest.mark.both_databases
async def test_four_starts_at_once_migrate_once(empty_address: DatabaseAddress) -> None:
    """Each connects for itself, as processes do; one of them migrates, the others find it done."""
    databases = [Database.open(empty_address) for _ in range(4)]
    try:
        outcomes = await asyncio.gather(*map(migrate, databases))
        assert sorted(before or "" for before, _ in outcomes) == ["", *[REVISIONS[-1]] * 3]
        assert {after for _, after in outcomes} == {REVISIONS[-1]}
    finally:
        for database in databases:
            await database.close()


async def test_start_waits_for_another_process_that_is_just_making_the_file(tmp_path: Path) -> None:
    """SQLite refuses `journal_mode=WAL` at once while another connection writes, whatever the busy timeout says."""
    path = tmp_path / "young.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        database = Database.open(SqliteFile(path))
        release = asyncio.get_running_loop().call_later(0.1, other.execute, "COMMIT")
        try:
            assert await migrate(database) == (None, REVISIONS[-1])
        finally:
            release.cancel()
            await database.close()


@pytest.mark.both_databases
async def test_migration_that_fails_leaves_nothing_half_done(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    # The last thing that a migration does is to note its revision.
    monkeypatch.setattr("alembic.runtime.migration.HeadMaintainer.update_to_step", fail)
    with pytest.raises(ZeroDivisionError):
        await migrate(empty)
    assert await _schema(empty) == []
    monkeypatch.undo()
    assert await migrate(empty) == (None, REVISIONS[-1])


async def test_database_of_a_newer_version_is_left_alone(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseTooNew, match="newer gateway"):
        await migrate(database)
