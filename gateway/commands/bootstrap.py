"""`gateway bootstrap`: the organization and its administrator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gateway.commands.event_loop import run_async
from gateway.commands.settings_options import with_settings
from gateway.config.secrets import load_secrets
from gateway.log_output import configure_logs
from gateway.preparation import prepare
from gateway.storage.database import Database

if TYPE_CHECKING:
    from gateway.config.loading import LoadedSettings
    from gateway.config.secrets import Secrets
    from gateway.config.settings import Settings
    from gateway.preparation import Prepared


@click.command()
@with_settings
def bootstrap(loaded: LoadedSettings) -> None:
    """Create what a fresh installation needs: tables, the organization `Default`, its workspace, the administrator.

    May be run at any time: what is there stays as it is, and a changed password is never set back. An installation
    without logins (AUTH_TYPE=none) becomes one with them when the configuration says so.
    """
    settings = loaded.settings
    configure_logs(settings.log)
    prepared = run_async(_bootstrap(settings, load_secrets(settings)))
    if prepared.logins_begun:
        click.echo(f"People log in from now on: the default user is {settings.basic_auth.initial_org_admin_email}.")
        click.echo("Everything that was there stays.")
    elif prepared.administrator_created:
        click.echo(f"Created {settings.basic_auth.initial_org_admin_email} with the role Organization Admin.")
    elif prepared.setup_link is not None:
        click.echo("There is no administrator yet, and INITIAL_ORG_ADMIN_EMAIL is not set.")
        click.echo(f"Create one (within 30 minutes, once): {prepared.setup_link}")
    else:
        click.echo("Everything was there already; nothing was changed.")


async def _bootstrap(settings: Settings, secrets: Secrets) -> Prepared:
    async with Database.opened(settings.database) as database:
        return await prepare(settings, secrets, database)
