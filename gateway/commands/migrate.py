"""`gateway migrate`: bring the database to this version."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gateway.commands.event_loop import run_async
from gateway.commands.settings_options import with_settings
from gateway.storage.database import Database
from gateway.storage.migrate import migrate as migrate_tables

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.config.loading import LoadedSettings


@click.command()
@with_settings
def migrate(loaded: LoadedSettings) -> None:
    """Bring the tables to the version that this program needs. `gateway serve` does so by itself, too."""
    before, after = run_async(_migrate(loaded.settings.database_path))
    if before == after:
        click.echo(f"The database is up to date (revision {after}).")
    else:
        click.echo(f"The database went from revision {before or 'none'} to {after}.")


async def _migrate(path: Path) -> tuple[str | None, str | None]:
    database = Database.open(path)
    try:
        return await migrate_tables(database)
    finally:
        await database.close()
