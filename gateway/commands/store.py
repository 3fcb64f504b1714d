"""The database, for commands that work beside a running gateway, and people in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

import click

from gateway.commands.event_loop import run_async
from gateway.config.secrets import load_secrets
from gateway.credentials.sealed_box import SealedBox
from gateway.errors import InvalidFields, InvalidRows
from gateway.log_output import configure_logs
from gateway.mail.outbox import Outbox
from gateway.organization.accounts import require_account
from gateway.revocation import Revocation, ring_nobody
from gateway.storage.database import Database
from gateway.storage.migrate import migrate

if TYPE_CHECKING:
    from gateway.config.settings import Settings
    from gateway.models import Account

_Result = TypeVar("_Result")


def with_database(settings: Settings, work: Callable[[Database], Awaitable[_Result]]) -> _Result:
    """Open the database, do the work, and close it. Fields that are refused are said as click says mistakes."""

    async def run() -> _Result:
        async with open_database(settings) as database:
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
    path = settings.database_path
    if not path.exists():
        click.echo(
            f"note: there was no database at {path.resolve()}, so a new one is made. A gateway with another data "
            "folder knows nothing of it: set GATEWAY_DATA_DIR as it has it.",
            err=True,
        )
    database = Database.open(path)
    try:
        await migrate(database)
        yield database
    finally:
        await database.close()


async def find_person(database: Database, email: str) -> Account:
    """Find by canonical e-mail address. Raises `NotFound` with where to look."""
    async with database.read() as connection:
        return await require_account(connection, email)


def make_revocation(settings: Settings, database: Database) -> Revocation:
    """Make what ends sessions and accounts. No doorbell: the running gateways read the log, and send the mail."""
    return Revocation(database, doorbell=ring_nobody, outbox=make_outbox(settings))


def make_outbox(settings: Settings) -> Outbox:
    box = SealedBox(load_secrets(settings).derive_lasting("outbox"))
    return Outbox(box=box, enabled=settings.mail.transport != "none")
