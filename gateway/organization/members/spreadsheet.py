"""A list of people as a spreadsheet writes it: read whole, and everything that is wrong is said with its line."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.grammar.email import parse_email
from gateway.grammar.names import parse_name
from gateway.grammar.usernames import parse_username
from gateway.organization.members.invitation_rows import Invitation
from gateway.organization.role_names import parse_organization_role, parse_workspace_role

MAX_ROWS = 10_000
_EMAIL = "email"
_WHOLE_ROW = "row"
_DELIMITERS = ",;\t"
# Excel takes and writes this before the header, to say what stands between the cells.
_SAID_DELIMITER = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ReadRow:
    """One person: where the row begins, and the invitation or what is wrong with it by column."""

    line: int
    invitation: Invitation | None
    problems: Mapping[str, str]


class UnreadableList(ValueError):
    """The list as a whole cannot be read; the message says why and what to do."""


def _names(text: str) -> tuple[str, ...]:
    """Read names that stand between commas, which no name can hold."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


# Each column, the part of the invitation that it fills, and how it is read.
_COLUMNS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    _EMAIL: ("email", parse_email),
    "full_name": ("full_name", parse_name),
    "role": ("role", parse_organization_role),
    "workspaces": ("workspaces", _names),
    "workspace_role": ("workspace_role", parse_workspace_role),
    "username": ("username", parse_username),
    "groups": ("groups", _names),
}


def read_people(content: bytes, *, send_mail: bool = False) -> list[ReadRow]:
    """Read a list with a header; empty cells count as left out. Raises `UnreadableList`."""
    rows = _rows(_decoded(content))
    _, header = next(rows, (0, []))
    columns = _known_columns(header)
    found = [_read(line, cells, columns, send_mail=send_mail) for line, cells in rows if any(map(str.strip, cells))]
    if not found:
        message = "There is nobody in the list: below the header it is empty."
        raise UnreadableList(message)
    if len(found) > MAX_ROWS:
        message = f"A list may have {MAX_ROWS} rows at most: divide it."
        raise UnreadableList(message)
    return found


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        message = "The list is not written in UTF-8: in Excel, save it as “CSV UTF-8”."
        raise UnreadableList(message) from None


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Give each row with the line on which it begins: a quoted cell may hold line ends."""
    skipped = 0
    said = _SAID_DELIMITER.match(text)
    if said is not None:
        text, skipped = text[said.end() :], 1
    header = text.partition("\n")[0]
    delimiter = said[1] if said is not None else max(_DELIMITERS, key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 0
    try:
        for cells in reader:
            yield line + 1 + skipped, cells
            line = reader.line_num
    except csv.Error as error:
        message = f"line {line + 1 + skipped}: the quotes are not right ({error})."
        raise UnreadableList(message) from error


def _known_columns(header: Sequence[str]) -> list[str]:
    columns = [name.strip().lower() for name in header]
    # Spreadsheets leave empty columns at the end.
    while columns and not columns[-1]:
        columns.pop()
    known = f"Known ones are {', '.join(_COLUMNS)}."
    unknown = [repr(name) for name in columns if name not in _COLUMNS]
    if unknown:
        message = f"The first line names columns that are not known: {', '.join(unknown)}. {known}"
        raise UnreadableList(message)
    if len(set(columns)) < len(columns):
        message = "The first line names a column twice."
        raise UnreadableList(message)
    if _EMAIL not in columns:
        message = f"The first line has to name the columns, {_EMAIL} at least. {known}"
        raise UnreadableList(message)
    return columns


def _read(line: int, cells: Sequence[str], columns: Sequence[str], *, send_mail: bool) -> ReadRow:
    values: dict[str, Any] = {}
    problems: dict[str, str] = {}
    if any(cell.strip() for cell in cells[len(columns) :]):
        problems[_WHOLE_ROW] = "There are more cells than columns in the first line."
    for column, cell in zip(columns, cells, strict=False):
        field, parse = _COLUMNS[column]
        if not cell.strip():
            continue
        try:
            values[field] = parse(cell)
        except ValueError as error:
            problems[column] = str(error)
    if _EMAIL not in values and _EMAIL not in problems:
        problems[_EMAIL] = "This cell is empty."
    invitation = None if problems else Invitation(**values, send_mail=send_mail)
    return ReadRow(line, invitation, problems)
