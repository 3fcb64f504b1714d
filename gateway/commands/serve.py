"""`gateway serve`: run the gateway."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click
import structlog

from gateway.commands.event_loop import run_async
from gateway.commands.settings_options import with_settings
from gateway.config.mode_advice import OPEN_TO_THE_NETWORK, is_open_to_the_network
from gateway.config.secrets import load_secrets
from gateway.log_output import configure_logs
from gateway.models import AuthMode
from gateway.serving import Serving, serve_until_stopped

if TYPE_CHECKING:
    from gateway.config.loading import LoadedSettings
    from gateway.config.settings import Settings

_log = structlog.get_logger("gateway.security")


_RULE = "!" * 80


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
        if settings.auth_mode is AuthMode.NONE:
            _warn_of_no_logins(settings)
        elif settings.access_control is None:
            click.echo("No access_control is configured: everyone who is logged in may open every application.")
        if serving.prepared.setup_link is not None:
            click.echo(f"Create the administrator (within 30 minutes, once): {serving.prepared.setup_link}")

    try:
        run_async(serve_until_stopped(settings, secrets, on_ready=announce))
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        message = f"cannot listen on {settings.listen}: {reason}. Choose another address with GATEWAY_LISTEN"
        raise click.ClickException(message) from error


def _warn_of_no_logins(settings: Settings) -> None:
    """Say it so that nobody overlooks it where others than this machine can reach the gateway."""
    reachable = is_open_to_the_network(settings)
    _log.warning("logins_off", listen=str(settings.listen), open_to_the_network=reachable)
    if reachable:
        click.echo(f"{_RULE}\n{settings.listen}: {OPEN_TO_THE_NETWORK}.\n{_RULE}", err=True)
    else:
        message = "Nobody has to log in (AUTH_TYPE=none): whoever reaches this gateway is its Organization Admin."
        click.echo(message, err=True)
