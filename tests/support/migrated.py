"""Migrated files, copied: the migrations take longer than most tests, and have tests of their own."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from gateway.config.database_url import SqliteFile
from gateway.config.settings import Settings
from gateway.storage.database import Database
from gateway.storage.migrate import migrate


def lay_migrated_file(path: Path) -> None:
    """Put a database with nothing in it where there is none yet."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_migrated())


@cache
def _migrated() -> bytes:
    with TemporaryDirectory(prefix="gateway-migrated-") as folder:
        path = Path(folder) / "gateway.db"
        # A loop of its own: whoever asks is inside one already.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, _migrate(path)).result()
        return path.read_bytes()


async def _migrate(path: Path) -> None:
    database = Database.open(SqliteFile(path))
    try:
        await migrate(database)
    finally:
        await database.close()


def database_file(settings: Settings) -> Path:
    """Give the file of a gateway that keeps everything in one."""
    assert isinstance(settings.database, SqliteFile)
    return settings.database.path
