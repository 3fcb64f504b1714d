"""How commands say it, to people or to programs: JSON, lists, CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import click

_Found = TypeVar("_Found")

# What a spreadsheet takes for a formula (OWASP, CSV injection).
_FORMULAS = ("=", "+", "-", "@")


def print_json(content: object) -> None:
    click.echo(json.dumps(content, ensure_ascii=False, indent=2))


def print_list(
    found: Iterable[_Found],
    *,
    json_output: bool,
    as_object: Callable[[_Found], dict[str, Any]],
    as_line: Callable[[_Found], str],
) -> None:
    """Print one list of objects, or one line for each."""
    if json_output:
        print_json([as_object(one) for one in found])
        return
    for one in found:
        click.echo(as_line(one))


def plain_json(written: object, *, indent: int | None = None) -> str:
    """Write JSON in printable ASCII: what moves a cursor or turns a line around is escaped, DEL as well."""
    return json.dumps(written, indent=indent).replace("\x7f", "\\u007f")


def as_csv(values: Sequence[str]) -> str:
    """Write one line of CSV (RFC 4180), none of whose cells is a formula."""
    line = io.StringIO()
    cells = (visible(value) for value in values)
    csv.writer(line, lineterminator="\n").writerow(
        [f"'{cell}" if cell.startswith(_FORMULAS) else cell for cell in cells]
    )
    return line.getvalue().removesuffix("\n")


def visible(text: str) -> str:
    """Escape whatever is not printed as it is: a value from outside can neither end the line nor move the cursor."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
