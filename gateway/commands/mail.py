"""`gateway mail`: whether letters arrive."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import click

from gateway.commands.arguments import parsed
from gateway.commands.event_loop import run_async
from gateway.commands.settings_options import settings_options, with_settings
from gateway.grammar.email import parse_email
from gateway.mail.failures import MailFailure
from gateway.mail.letters import Letterhead, Letters
from gateway.mail.outbox import MailKind, PostedLetter
from gateway.mail.transports import make_transport

if TYPE_CHECKING:
    from gateway.config.loading import LoadedSettings


@click.group()
@settings_options
def mail() -> None:
    """See whether mail can be sent."""


@mail.command()
@click.option("--to", required=True, callback=parsed(parse_email), metavar="ADDRESS", help="Who gets the letter.")
@with_settings
def test(loaded: LoadedSettings, to: str) -> None:
    """Send one letter at once, and say what happened and what would help."""
    transport = make_transport(loaded.settings)
    if transport is None:
        text = "mail.transport is none: set it to smtp, or to file, to have mail"
        raise click.ClickException(text)
    letter = PostedLetter(str(uuid4()), MailKind.TEST, to, datetime.now(UTC), context={})
    message = Letters(Letterhead.of(loaded.settings)).write(letter)
    try:
        place = run_async(transport.send(letter, message))
    except MailFailure as failure:
        text = f"{failure.sentence}.\nWhat may help: {failure.cure}."
        raise click.ClickException(text) from failure
    click.echo(f"The letter to {to} went to {place}.")
