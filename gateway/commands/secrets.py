"""`gateway secrets`: are the secrets those that the database was used with?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gateway.commands.arguments import as_json
from gateway.commands.output import print_list
from gateway.commands.settings_options import settings_options, with_settings
from gateway.commands.store import with_database
from gateway.config.secrets import load_secrets
from gateway.preparation import CONSEQUENCES, differing, store_fingerprints
from gateway.storage.secret_fingerprints import find_fingerprints

if TYPE_CHECKING:
    from gateway.config.loading import LoadedSettings
    from gateway.storage.database import Database

_SAID = {True: "the database's", False: "NOT the database's", None: "not used yet"}


@click.group()
@settings_options
def secrets() -> None:
    """Say whether the secrets are those that the database was used with; none is ever shown.

    A gateway that generated its secrets does not start where others were used before: replicas with different secrets
    would log each other's people out. The cure is to copy the files from the machine that made the first ones, or to
    set the variables alike everywhere. Only when the first ones are lost for good: `gateway secrets accept`.
    """


@secrets.command(name="list")
@as_json
@with_settings
def list_secrets(loaded: LoadedSettings, *, json_output: bool) -> None:
    """List each secret: its name, where it comes from, and whether the database was used with it."""
    own = load_secrets(loaded.settings)
    known = with_database(loaded.settings, _find, about_secrets=True)
    matches = {name: known[name] == own_one if name in known else None for name, own_one in own.fingerprints().items()}
    print_list(
        matches.items(),
        json_output=json_output,
        as_object=lambda one: {
            "name": one[0],
            "origin": str(own.origins[one[0]]),
            "generated": own.origins[one[0]].file is not None,
            "matches": one[1],
        },
        as_line=lambda one: f"{one[0]:16} {_SAID[one[1]]:18}  {own.origins[one[0]]}",
    )


@secrets.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_settings
def accept(loaded: LoadedSettings, *, yes: bool) -> None:
    """Let the present secrets be those of the database from now on: the former ones are lost for good.

    Stop all gateways first, and give all of them the same secrets. It is audited.
    """
    own = load_secrets(loaded.settings)
    changed = differing(with_database(loaded.settings, _find, about_secrets=True), own.fingerprints())
    if not changed:
        click.echo("The secrets are those of the database; nothing was changed.")
        return
    for name in changed:
        click.echo(f"{name} ({own.origins[name]}): {CONSEQUENCES[name]}.", err=True)
    if not yes:
        click.confirm("Go on with these secrets?", abort=True, err=True)

    async def store(database: Database) -> list[str]:
        async with database.write() as connection:
            return await store_fingerprints(connection, own)

    click.echo(f"Accepted: {', '.join(with_database(loaded.settings, store, about_secrets=True))}.")


async def _find(database: Database) -> dict[str, str]:
    return await database.ask(find_fingerprints)
