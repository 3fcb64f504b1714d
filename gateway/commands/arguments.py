"""What several commands take: e-mail addresses, `--json`, and anything that a parser of ours reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from gateway.grammar.email import parse_email

_Parsed = TypeVar("_Parsed")

as_json = click.option("--json", "json_output", is_flag=True, help="Print JSON.")


def parsed(parse: Callable[[str], _Parsed]) -> Callable[[click.Context, click.Parameter, Any], _Parsed | None]:
    """Make a callback that reads a value, and says what is wrong with it as click does."""

    def read(_context: click.Context, _parameter: click.Parameter, value: str | None) -> _Parsed | None:
        if value is None:
            return None
        try:
            return parse(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from error

    return read


email_argument = click.argument("email", callback=parsed(parse_email))
