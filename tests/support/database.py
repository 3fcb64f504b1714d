"""A real store of the test's own, its disk, which a test may break or stop, and people in it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.util import await_only

from gateway.models import Account, AuthMode, OrganizationRole
from gateway.storage.accounts import create_account
from gateway.storage.database import Database
from gateway.storage.invalidations import append_invalidation
from gateway.storage.organizations import create_organization
from gateway.storage.workspaces import insert_workspace
from tests.support.migrated import lay_migrated_file

_NO_HASH = "no hash"


class Disk:
    """What lies beneath a real engine: lets each statement pass, fail as SQLite does, or wait."""

    def __init__(self, database: Database) -> None:
        self.broken = False
        self.statements: list[str] = []
        self._expected: list[tuple[str, asyncio.Event]] = []
        self._moves = asyncio.Event()
        self._moves.set()
        self.reached = asyncio.Event()
        for engine in (database._readers, database._writer):  # noqa: SLF001 - the disk is beneath what is public
            event.listen(engine.sync_engine, "do_execute", self._execute)

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

    def _execute(self, _cursor: DBAPICursor, statement: str, *_: object) -> None:
        self.statements.append(statement)
        for fragment, seen in self._expected:
            if fragment in statement:
                seen.set()
        if not self._moves.is_set():
            self.reached.set()
            await_only(self._moves.wait())
        if self.broken:
            message = "disk I/O error"
            raise sqlite3.OperationalError(message)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A migrated SQLite file with nothing in it."""
    lay_migrated_file(tmp_path / "gateway.db")
    database = Database.open(tmp_path / "gateway.db")
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
