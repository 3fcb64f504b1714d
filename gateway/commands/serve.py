"""`gateway serve`: run the gateway."""

from __future__ import annotations

import importlib
import sys
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import click
import structlog

from gateway.commands.event_loop import run_async
from gateway.commands.settings_options import settings_options, tested_settings
from gateway.config.database_url import PostgresqlServer
from gateway.config.mode_advice import OPEN_TO_THE_NETWORK, is_open_to_the_network
from gateway.config.secrets import load_secrets
from gateway.listening import bound_sockets, url_of
from gateway.log_output import configure_logs
from gateway.mail.letters import Letterhead, Letters
from gateway.models import AuthMode
from gateway.web.pages import Pages
from gateway.workers.configuration import Configuration, Generation
from gateway.workers.preparing import PreparationRefused
from gateway.workers.reloading import Reloading
from gateway.workers.supervisor import NoWorker, Supervisor

if TYPE_CHECKING:
    from gateway.config.settings import Settings

_log = structlog.get_logger("gateway.security")

_RULE = "!" * 80


@click.command()
@settings_options
@click.option(
    "--workers", type=click.IntRange(1, 64), metavar="N", help="How many processes serve (also GATEWAY_WORKERS)."
)
@click.pass_context
def serve(context: click.Context, workers: int | None) -> None:
    """Run the gateway until Ctrl-C or SIGTERM; what is in flight then is finished.

    The first start creates the database in the data folder, the organization, and the administrator from
    INITIAL_ORG_ADMIN_EMAIL and INITIAL_ORG_ADMIN_PASSWORD. Without those it prints a link on which you create one.

    SIGHUP (`kill -HUP`, `systemctl reload`) reads the configuration anew, files of variables and secret files too, and
    replaces the workers one by one: no request is lost. If anything is wrong with it, the running one stays, and what
    is wrong is said. A worker that dies is replaced.

    \b
    Examples:
      gateway serve                                 one process, SQLite in ./data
      gateway serve --workers 4                     one for each core
      gateway serve --config /etc/gateway.yaml      with a file that SIGHUP reads anew
    """  # noqa: D301 - click reads \b as "leave these lines alone"

    def load() -> Configuration:
        settings = tested_settings(context).settings
        if workers is not None:
            settings = settings.model_copy(update={"workers": workers})
        return Configuration(settings, load_secrets(settings))

    configuration = load()
    settings = configuration.settings
    configure_logs(settings.log, threads=False)
    _load_what_everybody_runs_on(settings)
    try:
        with bound_sockets(settings.listen, settings.workers) as sockets:
            url = url_of(sockets[0])

            def announce(generation: Generation) -> None:
                if generation.number == 1:
                    _say(f"Gateway listens on {url}")
                _announce(generation)

            supervisor = Supervisor(sockets, run=run_async, reloading=Reloading(load, say=_say), on_ready=announce)
            supervisor.run(configuration, meanwhile=partial(_make_what_workers_share, settings))
    except (PreparationRefused, NoWorker) as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        message = f"cannot listen on {settings.listen}: {reason}. Choose another address with GATEWAY_LISTEN"
        raise click.ClickException(message) from error


def _announce(generation: Generation) -> None:
    settings, prepared = generation.configuration.settings, generation.prepared
    if settings.auth_mode is AuthMode.NONE:
        _warn_of_no_logins(settings)
    elif settings.access_control is None:
        _say("No access_control is configured: everyone who is logged in may open every application.")
    if prepared is not None and prepared.setup_link is not None:
        _say(f"Create the administrator (within 30 minutes, once): {prepared.setup_link}")


def _say(line: str) -> None:
    # Nobody may be reading any more; that is no reason to stop serving.
    with suppress(OSError):
        click.echo(line)
        sys.stdout.flush()


def _load_what_everybody_runs_on(settings: Settings) -> None:
    """Import now, once, what each process would import for itself."""
    wanted = [
        "uvloop",
        "gateway.storage.postgresql" if isinstance(settings.database, PostgresqlServer) else "aiosqlite",
    ]
    for name in wanted:
        # uvloop is not everywhere.
        with suppress(ImportError):
            importlib.import_module(name)


def _make_what_workers_share(settings: Settings) -> None:
    """Do now, once, what each worker would do at its start or on first use: to replace one then takes a moment."""
    try:
        Pages(settings.site_name)
        if settings.mail.transport != "none":
            Letters(Letterhead.of(settings))
    except OSError as error:
        message = f"the templates cannot be read ({error}): install Gateway anew"
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
