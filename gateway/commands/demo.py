"""`gateway demo`: the gateway, a small application and nginx, to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gateway.commands.event_loop import run_async
from gateway.commands.settings_options import with_settings
from gateway.config.secrets import load_secrets
from gateway.demo.errors import DemoFailed
from gateway.demo.run import run_demo
from gateway.log_output import configure_logs

if TYPE_CHECKING:
    from gateway.config.loading import LoadedSettings

_HIGHEST_PORT = 65535


@click.command()
@click.option(
    "--port",
    type=click.IntRange(1, _HIGHEST_PORT),
    default=8080,
    show_default=True,
    envvar="PORT",
    help="Where the application's pages are.",
)
@with_settings
def demo(loaded: LoadedSettings, *, port: int) -> None:
    """Run the gateway with a small application behind nginx, and print how to log in."""
    settings = loaded.settings
    configure_logs(settings.log)
    try:
        run_async(run_demo(settings, load_secrets(settings), port=port, say=click.echo))
    except DemoFailed as error:
        raise click.ClickException(str(error)) from error
