"""`gateway migrate`: bring the database to this version, or everything of a file into it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.commands.event_loop import run_async
from gateway.commands.settings_options import with_settings
from gateway.config.database_url import SqliteFile
from gateway.storage.copying import copy_everything
from gateway.storage.database import Database
from gateway.storage.migrate import migrate as migrate_tables

if TYPE_CHECKING:
    from gateway.config.database_url import DatabaseAddress
    from gateway.config.loading import LoadedSettings

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--from", "file", type=_FILE, metavar="FILE", help="Copy everything of this SQLite database into it.")
@with_settings
def migrate(loaded: LoadedSettings, file: Path | None) -> None:
    """Bring the tables to the version that this program needs. `gateway serve` does so by itself, too.

    With --from everything of a SQLite file moves into the configured database, which has to be empty: all of it, or
    nothing. The file stays as it is. Stop the gateway first, and keep its secrets: they are not in the database.

    \b
    Examples:
      gateway migrate
      DATABASE_URL=postgresql://gateway:secret@db/gateway gateway migrate --from /var/lib/gateway/gateway.db
    """  # noqa: D301 - click reads \b as "leave these lines alone"
    before, after = run_async(_migrate(loaded.settings.database))
    if before == after:
        click.echo(f"The database is up to date (revision {after}).")
    else:
        click.echo(f"The database went from revision {before or 'none'} to {after}.")
    if file is not None:
        _say_what_was_copied(run_async(_copy(SqliteFile(file), loaded.settings.database)))


def _say_what_was_copied(rows: dict[str, int]) -> None:
    for table, count in rows.items():
        if count:
            click.echo(f"{count:>9,} {table.replace('_', ' ')}")
    click.echo("Everything was copied. Start the gateway with this configuration, the same secrets and the same URL.")


async def _migrate(address: DatabaseAddress) -> tuple[str | None, str | None]:
    async with Database.opened(address) as database:
        return await migrate_tables(database)


async def _copy(source_address: SqliteFile, address: DatabaseAddress) -> dict[str, int]:
    async with Database.opened(source_address) as source, Database.opened(address) as database:
        await migrate_tables(source)
        return await copy_everything(source, database)
