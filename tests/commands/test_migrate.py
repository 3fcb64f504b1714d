"""`gateway migrate`, and the way of an installation from its file to a server."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select

from gateway.config.database_url import DatabaseAddress, PostgresqlServer, SqliteFile
from gateway.config.loading import load_settings
from gateway.storage.columns import metadata
from gateway.storage.database import Database
from tests.support.commands import run_gateway
from tests.support.gateway import environment, start_gateway
from tests.support.servers.postgresql import PostgresqlProcess
from tests.support.team import administrator, join


async def _counts(address: DatabaseAddress) -> dict[str, int]:
    database = Database.open(address)
    try:
        async with database.read() as connection:
            return {
                table.name: (await connection.execute(select(func.count()).select_from(table))).scalar_one()
                for table in metadata.sorted_tables
            }
    finally:
        await database.close()


@pytest.fixture
def server(postgresql: PostgresqlProcess) -> PostgresqlServer:
    return PostgresqlServer(postgresql.new_database())


async def test_installation_moves_to_a_server_with_everything_that_it_has(
    tmp_path: Path, server: PostgresqlServer
) -> None:
    environ = environment(tmp_path)
    async with start_gateway(environ) as before:
        admin, ada = await administrator(before), await join(before)
        key = (await admin.get("POST", "/api/api-keys", {"name": "ci"}, status=201))["key"]
        await admin.get("POST", "/api/v1/groups", {"name": "staff"})
        file = load_settings(None, (), environ).settings.database
        assert isinstance(file, SqliteFile)

    moved = {**environ, "DATABASE_URL": server.dsn}
    finished = await run_gateway("migrate", "--from", str(file.path), environ=moved)
    assert finished.code == 0, finished.err
    assert "2 accounts\n" in finished.out
    copied = await _counts(file)
    assert await _counts(server) == copied
    assert {name for name, count in copied.items() if count} >= {"accounts", "sessions", "api_keys", "audit_events"}

    async with start_gateway(moved) as after:
        for credential in ({"Cookie": ada.session.cookie}, {"X_API_Key": key}):
            assert (await after.check(**credential)).status == 200
        # What is numbered goes on after what was copied.
        assert (await after.ask("/api/auth/logout", method="POST", Cookie=ada.session.cookie)).status == 200
        assert (await after.check(Cookie=ada.session.cookie)).status == 401
    verified = await run_gateway("audit", "verify", environ=moved)
    assert verified.code == 0, verified.err + verified.out


async def test_database_in_which_there_is_something_is_left_as_it_is(tmp_path: Path, server: PostgresqlServer) -> None:
    environ = environment(tmp_path)
    async with start_gateway(environ):
        pass
    moved = {**environ, "DATABASE_URL": server.dsn}
    for code, said in ((0, "Everything was copied"), (1, "There is something in the other database already")):
        finished = await run_gateway("migrate", "--from", str(tmp_path / "gateway.db"), environ=moved)
        assert (finished.code, said in finished.out + finished.err) == (code, True)
    assert await _counts(server) == await _counts(SqliteFile(tmp_path / "gateway.db"))


async def test_copy_that_fails_in_the_middle_leaves_nothing(tmp_path: Path, server: PostgresqlServer) -> None:
    """SQLite keeps names of any length, and PostgreSQL does not."""
    environ = environment(tmp_path)
    async with start_gateway(environ):
        pass
    database = Database.open(SqliteFile(tmp_path / "gateway.db"))
    async with database.write() as connection:
        await connection.exec_driver_sql("UPDATE workspaces SET display_name = hex(zeroblob(100))")
    await database.close()
    moved = {**environ, "DATABASE_URL": server.dsn}
    finished = await run_gateway("migrate", "--from", str(tmp_path / "gateway.db"), environ=moved)
    assert (finished.code, "A row of the table workspaces does not fit" in finished.err) == (1, True)
    assert set((await _counts(server)).values()) == {0}


async def test_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    finished = await run_gateway(
        "migrate", "--from", str(tmp_path / "other.db"), environ=environment(tmp_path / "data")
    )
    assert (finished.code, "does not exist" in finished.err) == (2, True)
    assert not (tmp_path / "other.db").exists()
