"""Which events `gateway audit` is asked for, and the head that somebody kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import click

from gateway.audit.events import EventKind
from gateway.audit.seals import Head
from gateway.commands.arguments import parsed
from gateway.grammar.durations import parse_duration
from gateway.grammar.email import parse_email
from gateway.grammar.moments import parse_moment

_Function = TypeVar("_Function", bound=Callable[..., Any])

_SEAL_BYTES = 32


def _parse_moment(text: str) -> datetime:
    """Read a moment, or how long ago it was."""
    try:
        # A bare number may be meant as days, or as a year: it is neither.
        ago = None if text.isdecimal() or "-" in text else parse_duration(text)
        return parse_moment(text) if ago is None else datetime.now(UTC) - ago
    except ValueError:
        message = "write a moment such as 2030-12-31T23:59:59Z, or how long ago, such as 24h"
        raise ValueError(message) from None


def parse_head(text: str) -> Head:
    number, _, seal = text.strip().partition(":")
    try:
        head = Head(int(number), bytes.fromhex(seal))
    except ValueError:
        head = Head(0, b"")
    if head.number < 1 or len(head.seal) != _SEAL_BYTES:
        message = "write it as `gateway audit verify` printed it: a number, a colon, and 64 hexadecimal digits"
        raise ValueError(message)
    return head


def filter_options(function: _Function) -> _Function:
    for option in (
        click.option("--failed", is_flag=True, help="Only what failed."),
        click.option("--account", callback=parsed(parse_email), metavar="EMAIL", help="Only by or about this account."),
        click.option(
            "--kind",
            "kinds",
            multiple=True,
            type=click.Choice([kind.value for kind in EventKind]),
            metavar="KIND",
            help="Only this kind of event (repeatable); a wrong one lists them.",
        ),
        click.option("--until", callback=parsed(_parse_moment), metavar="MOMENT", help="Only before this moment."),
        click.option(
            "--since",
            callback=parsed(_parse_moment),
            metavar="MOMENT",
            help="Only from this moment on: ISO 8601, or how long ago, such as 24h.",
        ),
    ):
        function = option(function)
    return function
