"""`gateway serve`: run the gateway."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from gateway.commands.event_loop import run_async
from gateway.commands.settings_options import with_settings
from gateway.config.secrets import load_secrets
from gateway.log_output import configure_logs
from gateway.serving import Serving, serve_until_stopped

if TYPE_CHECKING:
    from gateway.config.loading import LoadedSettings


@click.command()
@with_settings
def serve(loaded: LoadedSettings) -> None:
    """Run the gateway until Ctrl-C or SIGTERM; what is in flight then is finished.

    The first start creates the database in the data folder, the organization, and the administrator from
    INITIAL_ORG_ADMIN_EMAIL and INITIAL_ORG_ADMIN_PASSWORD. Without those it prints a link on which you create one.
    """
    settings = loaded.settings
    configure_logs(settings.log)
    secrets = load_secrets(settings)

    def announce(serving: Serving) -> None:
        click.echo(f"Gateway listens on {serving.url}")
        if settings.access_control is None:
            click.echo("No access_control is configured: everyone who is logged in may open every application.")
        if serving.prepared.setup_link is not None:
            click.echo(f"Create the administrator (within 30 minutes, once): {serving.prepared.setup_link}")

    try:
        run_async(serve_until_stopped(settings, secrets, on_ready=announce))
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        message = f"cannot listen on {settings.listen}: {reason}. Choose another address with GATEWAY_LISTEN"
        raise click.ClickException(message) from error
