"""A real store of the test's own, its disk, which a test may break or stop, and people in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.util import await_only

from gateway.config.database_url import DatabaseAddress, PostgresqlServer, SqliteFile
from gateway.models import Account, AuthMode, OrganizationRole
from gateway.storage.accounts import create_account
from gateway.storage.database import Database
from gateway.storage.invalidations import append_invalidation, entries_from
from gateway.storage.organizations import create_organization
from gateway.storage.prepared_reads import PreparedRead, Row
from gateway.storage.workspaces import insert_workspace
from tests.support.gateway import DATABASE
from tests.support.migrated import lay_migrated_file
from tests.support.servers.postgresql import PostgresqlProcess, running_postgresql

_NO_HASH = "no hash"
SQLITE, POSTGRESQL = "sqlite", "postgresql"


class Disk:
    """What lies beneath a real engine: lets each statement pass, fail as its driver does, or wait."""

    def __init__(self, database: Database) -> None:
        self.broken = False
        self.statements: list[str] = []
        self._expected: list[tuple[str, asyncio.Event]] = []
        self._moves = asyncio.Event()
        self._moves.set()
        self.reached = asyncio.Event()
        for engine in (database._readers, database._writer):  # noqa: SLF001 - the disk is beneath what is public
            self._failure = engine.dialect.loaded_dbapi.OperationalError
            event.listen(engine.sync_engine, "do_execute", self._execute)
        self._short_way = database._short_way  # noqa: SLF001 - as above
        database._short_way = self  # noqa: SLF001 - as above

    def expect(self, fragment: str) -> asyncio.Event:
        """Give an event that is set by the next statement that holds this."""
        seen = asyncio.Event()
        self._expected.append((fragment, seen))
        return seen

    def stop(self) -> None:
        """Let every statement wait from now on; `reached` is set by the first one that does."""
        self._moves.clear()
        self.reached.clear()

    def go_on(self) -> None:
        self._moves.set()

    @property
    def answers_at_once(self) -> bool:
        return self._short_way.answers_at_once

    async def ask(self, read: PreparedRead, wanted: str | bytes) -> list[Row] | None:
        """Be the short way: on a disk that is broken or stopped, it leads nowhere."""
        if self.broken or not self._moves.is_set():
            return None
        self._note(str(read.statement))
        return await self._short_way.ask(read, wanted)

    def ask_at_once(self, read: PreparedRead, wanted: str | bytes) -> list[Row] | None:
        if self.broken or not self._moves.is_set():
            return None
        self._note(str(read.statement))
        return self._short_way.ask_at_once(read, wanted)

    async def close(self) -> None:
        await self._short_way.close()

    def _note(self, statement: str) -> None:
        self.statements.append(statement)
        for fragment, seen in self._expected:
            if fragment in statement:
                seen.set()

    def _execute(self, _cursor: DBAPICursor, statement: str, *_: object) -> None:
        self._note(statement)
        if not self._moves.is_set():
            self.reached.set()
            await_only(self._moves.wait())
        if self.broken:
            message = "disk I/O error"
            raise self._failure(message)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlProcess]:
    """A server for all tests of this process, started when the first one asks for it."""
    with running_postgresql() as server:
        yield server


@pytest.fixture
def database_address(request: pytest.FixtureRequest, tmp_path: Path) -> DatabaseAddress:
    """Where a migrated database with nothing in it is: a file, and in tests marked `both_databases` each of the two."""
    if getattr(request, "param", SQLITE) == POSTGRESQL:
        server: PostgresqlProcess = request.getfixturevalue("postgresql")
        return PostgresqlServer(server.emptied_database())
    lay_migrated_file(tmp_path / "gateway.db")
    return SqliteFile(tmp_path / "gateway.db")


@pytest.fixture
def gateways_database(database_address: DatabaseAddress, monkeypatch: pytest.MonkeyPatch) -> DatabaseAddress:
    """Let every gateway of the test keep its things there, whatever its data folder is."""
    if isinstance(database_address, PostgresqlServer):
        monkeypatch.setitem(DATABASE, "DATABASE_URL", database_address.dsn)
    return database_address


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what is marked `both_databases` on each; what asks for neither database nor gateway is run once."""
    if metafunc.definition.get_closest_marker("both_databases") and "database_address" in metafunc.fixturenames:
        metafunc.parametrize("database_address", [SQLITE, POSTGRESQL], indirect=True)


@pytest.fixture
async def database(database_address: DatabaseAddress) -> AsyncIterator[Database]:
    """A migrated database with nothing in it."""
    database = Database.open(database_address)
    try:
        yield database
    finally:
        await database.close()


@pytest.fixture
def disk(database: Database) -> Disk:
    """The disk beneath that database."""
    return Disk(database)


async def add_organization(database: Database) -> None:
    async with database.write() as connection:
        now = datetime.now(UTC)
        made = await create_organization(connection, display_name="Default", mode=AuthMode.BASIC, now=now)
        await insert_workspace(connection, organization_id=made.id, display_name="Default", now=now)


async def add_account(  # noqa: PLR0913 - one argument for each thing that a test may want otherwise
    database: Database,
    email: str = "ada@example.com",
    *,
    role: OrganizationRole = OrganizationRole.USER,
    password_hash: str = _NO_HASH,
    must_change_password: bool = False,
    email_verified: bool = True,
) -> Account:
    async with database.write() as connection:
        return await create_account(
            connection,
            email=email,
            name="Ada",
            password_hash=password_hash,
            role=role,
            must_change_password=must_change_password,
            email_verified=email_verified,
            now=datetime.now(UTC),
        )


async def append(database: Database, *subjects: str, at: datetime | None = None) -> None:
    """Append to the invalidation log, as another process would."""
    async with database.write() as connection:
        for subject in subjects:
            await append_invalidation(connection, subject, now=at or datetime.now(UTC))


async def invalidated(database: Database) -> tuple[str, ...]:
    """Give the subjects of the whole invalidation log."""
    async with database.read() as connection:
        return tuple(entry.subject for entry in await entries_from(connection, 0))
