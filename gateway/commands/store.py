"""The database, for commands that work beside a running gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import click

from gateway.config.secrets import load_secrets
from gateway.credentials.sealed_box import SealedBox
from gateway.mail.outbox import Outbox
from gateway.revocation import Revocation, ring_nobody
from gateway.storage.database import Database
from gateway.storage.migrate import migrate

if TYPE_CHECKING:
    from gateway.config.settings import Settings


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


def make_revocation(settings: Settings, database: Database) -> Revocation:
    """Make what ends sessions and accounts. No doorbell: the running gateways read the log, and send the mail."""
    box = SealedBox(load_secrets(settings).derive_lasting("outbox"))
    outbox = Outbox(box=box, enabled=settings.mail.transport != "none")
    return Revocation(database, doorbell=ring_nobody, outbox=outbox)
