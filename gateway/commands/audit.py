"""`gateway audit`: what happened, and whether the log of it was touched."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, TypeVar

import click

from gateway.audit.rendering import as_object
from gateway.audit.seals import AuditSeals, Head
from gateway.audit.verification import Broken, Intact, Verification
from gateway.commands.arguments import as_json, parsed
from gateway.commands.audit_options import filter_options, parse_head
from gateway.commands.audit_output import CSV_COLUMNS, as_report, as_table, csv_row
from gateway.commands.output import as_csv, plain_json
from gateway.commands.settings_options import settings_options, with_settings
from gateway.commands.store import with_database
from gateway.config.secrets import load_secrets
from gateway.storage.accounts import list_accounts
from gateway.storage.audit_events import EventFilter, StoredEvent, read_newest, read_oldest
from gateway.storage.database import Database
from gateway.storage.secret_fingerprints import find_fingerprint

if TYPE_CHECKING:
    from gateway.config.loading import LoadedSettings
    from gateway.config.settings import Settings

_Result = TypeVar("_Result")

_BATCH = 500
_PROGRESS_STEP = 50_000
_KEY = "encryption_key"


@click.group()
@settings_options
def audit() -> None:
    """Read the log of security events, and verify that nobody touched it.

    Every login, failure, revocation and change of accounts, keys and groups is in it: who, what, when, from where.

    \b
    Examples:
      gateway audit list --since 24h --failed       what failed since yesterday
      gateway audit list --account ann@example.com  what Ann did, and what was done to her account
      gateway audit verify                          is the log as it was written?
      gateway audit export --output audit.jsonl     all of it, for keeping elsewhere
    """  # noqa: D301 - click reads \b as "leave these lines alone"


@audit.command(name="list")
@filter_options
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="At most so many.")
@as_json
@with_settings
def list_events(  # noqa: PLR0913 - one argument per option
    loaded: LoadedSettings,
    *,
    since: datetime | None,
    until: datetime | None,
    kinds: tuple[str, ...],
    account: str | None,
    failed: bool,
    limit: int,
    json_output: bool,
) -> None:
    """List security events, newest first. BY says who did it; FROM is the client's address."""
    wanted = EventFilter(since, until, kinds, account, succeeded=False if failed else None)

    async def work(database: Database) -> tuple[list[StoredEvent], dict[str, str]]:
        async with database.read() as connection:
            emails = {} if json_output else {one.id: one.email for one in await list_accounts(connection)}
            return await read_newest(connection, wanted, limit=limit), emails

    events, emails = _run(loaded.settings, work)
    if json_output:
        click.echo(plain_json([as_object(event) for event in events], indent=2))
    elif not events:
        click.echo("No event matches.")
    else:
        for line in as_table(events, emails):
            click.echo(line)


@audit.command()
@filter_options
@click.option("--format", "file_format", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True)
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Instead of stdout.")
@with_settings
def export(  # noqa: PLR0913 - one argument per option
    loaded: LoadedSettings,
    *,
    since: datetime | None,
    until: datetime | None,
    kinds: tuple[str, ...],
    account: str | None,
    failed: bool,
    file_format: str,
    output: Path | None,
) -> None:
    """Write security events out, oldest first: one JSON object for each line, or CSV that spreadsheets may open."""
    wanted = EventFilter(since, until, kinds, account, succeeded=False if failed else None)

    async def work(database: Database) -> None:
        with _opened(output) as file:
            if file_format == "csv":
                print(as_csv(CSV_COLUMNS), file=file)
            async for event in _read_all(database, wanted):
                print(as_csv(csv_row(event)) if file_format == "csv" else plain_json(as_object(event)), file=file)

    _run(loaded.settings, work)


@audit.command()
@click.option(
    "--head",
    callback=parsed(parse_head),
    metavar="NUMBER:SEAL",
    help="A head that was printed before, or number and seal of an `audit_checkpoint` line of the gateway's log.",
)
@with_settings
def verify(loaded: LoadedSettings, *, head: Head | None) -> None:
    """Verify that no sealed row was altered, removed, inserted or moved. Exit code 1 names the first one that was.

    The seals are made with the encryption key, which is not in the database. Rows at the end of the log can be cut off
    without a trace in it; with --head that shows, too.
    """
    secrets = load_secrets(loaded.settings)

    async def work(database: Database) -> Intact | Broken:
        async with database.read() as connection:
            known = await find_fingerprint(connection, _KEY)
        if known not in (None, secrets.fingerprints()[_KEY]):
            message = (
                "the encryption key differs from the one that the gateway started with, so no seal can be verified: "
                "give this command the same configuration and environment"
            )
            raise click.ClickException(message)
        seals = AuditSeals(secrets.derive_lasting("audit"))
        return await Verification(database, seals=seals, progress=_Progress().say).verify(head)

    found = _run(loaded.settings, work)
    if isinstance(found, Broken):
        message = f"the audit log is not as it was sealed: {found}."
        raise click.ClickException(message)
    for line in as_report(found):
        click.echo(line)


async def _read_all(database: Database, wanted: EventFilter) -> AsyncIterator[StoredEvent]:
    """Read page by page: the log may be larger than the memory."""
    after = 0
    async with database.read() as connection:
        while page := await read_oldest(connection, wanted, after_id=after, limit=_BATCH):
            for event in page:
                yield event
            after = page[-1].id


@contextmanager
def _opened(path: Path | None) -> Iterator[TextIO]:
    if path is None:
        yield sys.stdout
        return
    # Addresses of people are in it: a new file is its owner's only.
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        yield file


class _Progress:
    """Say now and then how far a long verification is."""

    def __init__(self) -> None:
        self._next = _PROGRESS_STEP

    def say(self, rows: int) -> None:
        if rows >= self._next:
            click.echo(f"{rows} rows are good so far …", err=True)
            self._next += _PROGRESS_STEP


def _run(settings: Settings, work: Callable[[Database], Awaitable[_Result]]) -> _Result:
    try:
        return with_database(settings, work)
    except ValueError as error:
        # SQLite keeps whatever somebody writes, text that is no moment as well.
        message = f"a row of the audit log cannot be read ({error}): `gateway audit verify` says which"
        raise click.ClickException(message) from error
