"""Bring the tables to the newest version, once, however many processes start at the same time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.errors import DatabaseTooNew

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

    from gateway.storage.database import Database


async def migrate(database: Database, *, target: str = "head") -> tuple[str | None, str | None]:
    """Upgrade (or downgrade) to a revision inside one write transaction, which is the lock.

    Returns the revisions before and after. Raises `DatabaseTooNew`.
    """
    async with database.write() as connection:
        return await connection.run_sync(_migrate, target)


def _migrate(connection: Connection, target: str) -> tuple[str | None, str | None]:
    # Alembic takes a quarter of a second to import; only a start needs it.
    from alembic import command  # noqa: PLC0415
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = migration_config(connection)
    before = MigrationContext.configure(connection).get_current_revision()
    revisions = [revision.revision for revision in ScriptDirectory.from_config(config).walk_revisions()]
    wanted = revisions[0] if target == "head" else target
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
