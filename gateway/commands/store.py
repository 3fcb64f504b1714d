"""The database, for commands that work beside a running gateway, and people in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

import click

from gateway.commands.event_loop import run_async
from gateway.commands.ringing import ringing
from gateway.config.database_url import SqliteFile
from gateway.config.findings import ConfigurationError
from gateway.config.secrets import load_secrets
from gateway.credentials.sealed_box import SealedBox
from gateway.errors import InvalidFields, InvalidRows
from gateway.log_output import configure_logs
from gateway.mail.outbox import Outbox
from gateway.organization.accounts import require_account
from gateway.preparation import differing
from gateway.revocation import Revocation, ring_nobody
from gateway.storage.database import Database
from gateway.storage.migrate import migrate
from gateway.storage.secret_fingerprints import find_fingerprints

if TYPE_CHECKING:
    from gateway.config.settings import Settings
    from gateway.models import Account

_Result = TypeVar("_Result")


def with_database(
    settings: Settings, work: Callable[[Database], Awaitable[_Result]], *, about_secrets: bool = False
) -> _Result:
    """Open the database, do the work, and close it. Fields that are refused are said as click says mistakes.

    `about_secrets`: the command itself says whether they are the right ones.
    """

    async def run() -> _Result:
        async with open_database(settings) as database, ringing(settings, database):
            if not about_secrets:
                await _note_other_secrets(settings, database)
            return await work(database)

    configure_logs(settings.log)
    try:
        return run_async(run())
    except InvalidRows:
        # Which of several rows it was, is for the command to say.
        raise
    except InvalidFields as refusal:
        raise click.ClickException(" ".join(refusal.fields.values())) from refusal


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """Open the database, brought to this version; a new one is said aloud, for it is seldom what was meant."""
    address = settings.database
    if isinstance(address, SqliteFile) and not address.path.exists():
        click.echo(
            f"note: there was no database at {address}, so a new one is made. A gateway with another data "
            "folder knows nothing of it: set GATEWAY_DATA_DIR as it has it.",
            err=True,
        )
    async with Database.opened(address) as database:
        await migrate(database)
        yield database


async def _note_other_secrets(settings: Settings, database: Database) -> None:
    """Say aloud that a command was told of the server and not of the secrets: what it seals, no gateway can read.

    What it ends is ended all the same. A file has its secrets beside it.
    """
    if isinstance(settings.database, SqliteFile):
        return
    try:
        own = load_secrets(settings)
    except ConfigurationError:
        # Whoever needs them says what is wrong with them.
        return
    if other := differing(await database.ask(find_fingerprints), own.fingerprints()):
        places = ", ".join(str(own.origins[name]) for name in other)
        click.echo(
            f"note: this database is used with other secrets than those of {places}: mail that this command sends will "
            "not arrive. Give it the environment of a gateway, or its data folder.",
            err=True,
        )


async def find_person(database: Database, email: str) -> Account:
    """Find by canonical e-mail address. Raises `NotFound` with where to look."""
    async with database.read() as connection:
        return await require_account(connection, email)


def make_revocation(settings: Settings, database: Database) -> Revocation:
    """Make what ends sessions and accounts. No doorbell of its own: `with_database` rings at the end.

    The running gateways send the mail.
    """
    return Revocation(database, doorbell=ring_nobody, outbox=make_outbox(settings))


def make_outbox(settings: Settings) -> Outbox:
    box = SealedBox(load_secrets(settings).derive_lasting("outbox"))
    return Outbox(box=box, enabled=settings.mail.transport != "none")
