"""Bring the tables to the newest version, once, however many processes start at the same time."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from sqlalchemy import column, inspect, select, table

from gateway.errors import DatabaseTooNew

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

    from gateway.storage.database import Database


_NEWEST = "head"
# Alembic's own.
_VERSION = table("alembic_version", column("version_num"))


async def migrate(database: Database, *, target: str = _NEWEST) -> tuple[str | None, str | None]:
    """Upgrade (or downgrade) to a revision inside one write transaction, which is the lock.

    Returns the revisions before and after. Raises `DatabaseTooNew`.
    """
    if target == _NEWEST:
        async with database.read() as connection:
            current = await connection.run_sync(_current_revision)
        # Nearly always: Alembic takes longer to import than most commands take for their work.
        if current == _newest_revision():
            return current, current
    async with database.change_tables() as connection:
        return await connection.run_sync(_migrate, target)


def _newest_revision() -> str:
    """Give the number that the newest step bears in its file's name."""
    steps = (step.name for step in files("gateway.storage.migrations.versions").iterdir())
    return max(name.partition("_")[0] for name in steps if name[0].isdigit())


def _current_revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_VERSION.name):
        return None
    return connection.execute(select(_VERSION.c.version_num)).scalar_one_or_none()


def _migrate(connection: Connection, target: str) -> tuple[str | None, str | None]:
    # Alembic takes a quarter of a second to import; only a start needs it.
    from alembic import command  # noqa: PLC0415
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = migration_config(connection)
    before = MigrationContext.configure(connection).get_current_revision()
    revisions = [revision.revision for revision in ScriptDirectory.from_config(config).walk_revisions()]
    wanted = revisions[0] if target == _NEWEST else target
    if before == wanted:
        return before, before
    if before is not None and before not in revisions:
        raise DatabaseTooNew
    older = wanted == "base" or (before in revisions and revisions.index(wanted) > revisions.index(before))
    (command.downgrade if older else command.upgrade)(config, wanted)
    return before, MigrationContext.configure(connection).get_current_revision()


def migration_config(connection: Connection | None = None) -> Config:
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", "gateway.storage:migrations")
    config.attributes["connection"] = connection
    return config
