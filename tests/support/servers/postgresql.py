"""A PostgreSQL server of a test's own. It refuses to run as root: then it is user `postgres`'s."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from signal import SIGINT, Signals
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg
from sqlalchemy import delete

from gateway.config.database_url import PostgresqlServer
from gateway.storage.database import Database
from gateway.storage.migrate import migrate
from gateway.storage.tables import accounts
from tests.support.servers.processes import ServerProcess, free_port

_USER = "postgres"
_MIGRATED = "migrated"
_COMMON = "common"
# Tests ask what is visible to whom, and not what a power cut leaves.
_QUICK = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")
# A connection that somebody left open in a transaction would be waited for.
_EMPTY = ";".join(
    [
        "SET lock_timeout = '10s'",
        *(str(delete(table)) for table in reversed(accounts.metadata.sorted_tables)),
        "ALTER SEQUENCE invalidations_number_seq RESTART",
        "ALTER SEQUENCE audit_events_id_seq RESTART",
    ]
)


class PostgresqlProcess(ServerProcess):
    """One server, and databases in it that are copies of a migrated one."""

    def __init__(self, folder: Path) -> None:
        if os.geteuid() == 0:
            shutil.chown(folder, _USER)
        self._folder = folder
        self._names = (f"test_{number}" for number in count(1))
        port = free_port()
        settings = (f"port={port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={folder}", *_QUICK)
        options = [option for setting in settings for option in ("-c", setting)]
        arguments = [_program("postgres"), "-D", str(folder / "data"), *options]
        super().__init__(arguments, port=port, log=folder / "postgresql.log", user=_USER)

    def prepare(self) -> None:
        """Make the files of the server, and the database that others are copies of."""
        self._run_program("initdb", "-D", str(self._folder / "data"), "-U", _USER, "-A", "trust", "--no-sync")
        self.start()
        self.execute(f"CREATE DATABASE {_MIGRATED}")
        _run(_migrate(PostgresqlServer(self.url(_MIGRATED))))
        self.execute(f"CREATE DATABASE {_COMMON} TEMPLATE {_MIGRATED}")

    def stop(self, number: Signals = SIGINT) -> None:
        """End it at once, as a restart does: SIGTERM would wait until everybody has gone."""
        super().stop(number)

    def url(self, database: str) -> str:
        return f"postgresql://{_USER}@127.0.0.1:{self.port}/{database}"

    def emptied_database(self) -> str:
        """Give the URL of the one database that tests use one after another, each without what the others left."""
        self.execute(_EMPTY, database=_COMMON)
        return self.url(_COMMON)

    def new_database(self, *, template: str = _MIGRATED) -> str:
        """Make a database, migrated and with nothing in it; gives its URL. It takes ten times as long."""
        name = next(self._names)
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def execute(self, statement: str, *, database: str = "postgres") -> None:
        _run(_execute(self.url(database), statement))

    @contextmanager
    def running_standby(self) -> Iterator[PostgresqlProcess]:
        """Run a second server that follows this one, until the block ends."""
        with TemporaryDirectory(prefix="gateway-standby-") as folder:
            standby = PostgresqlProcess(Path(folder))
            primary = ("-h", "127.0.0.1", "-p", str(self.port), "-U", _USER)
            try:
                standby._run_program("pg_basebackup", *primary, "-D", f"{folder}/data", "-R", "-c", "fast", "--no-sync")
                standby.start()
                yield standby
            finally:
                standby.stop()

    def _run_program(self, program: str, *arguments: str) -> None:
        user = _USER if os.geteuid() == 0 else None
        subprocess.run([_program(program), *arguments], check=True, capture_output=True, user=user, cwd=self._folder)

    def _takes_connections(self) -> bool:
        try:
            self.execute("SELECT 1")
        except (OSError, asyncpg.PostgresError):
            return False
        return True


@contextmanager
def running_postgresql() -> Iterator[PostgresqlProcess]:
    """Run one until the block ends."""
    with TemporaryDirectory(prefix="gateway-postgresql-") as folder:
        server = PostgresqlProcess(Path(folder))
        try:
            server.prepare()
            yield server
        finally:
            server.stop()


def postgresql_is_installed() -> bool:
    return shutil.which(_program("initdb")) is not None


def _program(name: str) -> str:
    """Debian keeps all but the clients out of PATH, for several versions may be there."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else shutil.which(name) or name


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run on a loop of its own: whoever asks may be inside one already."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


async def _migrate(server: PostgresqlServer) -> None:
    database = Database.open(server)
    try:
        await migrate(database)
    finally:
        await database.close()


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url, timeout=5)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
