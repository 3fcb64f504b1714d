"""`gateway member import`: many people from a spreadsheet's list, all of them or a report."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, BinaryIO

import click

from gateway.commands.arguments import as_json
from gateway.commands.member_output import shown_member
from gateway.commands.opened_members import OpenedMembers, with_members
from gateway.commands.output import as_csv, print_json
from gateway.commands.settings_options import with_settings
from gateway.errors import InvalidRows
from gateway.organization.members.spreadsheet import ReadRow, UnreadableList, read_people

if TYPE_CHECKING:
    from gateway.config.loading import LoadedSettings
    from gateway.organization.members.invitation_rows import Invitation
    from gateway.organization.members.invitations import Invited

# As the columns call what invitations call otherwise.
_COLUMN_OF = {"workspace_ids": "workspaces"}

_Good = Sequence[tuple[int, "Invitation"]]
_Problems = dict[int, dict[str, str]]


@click.command(name="import")
@click.argument("file", type=click.File("rb"), metavar="FILE.csv|-")
@click.option("--skip-bad-rows", is_flag=True, help="Add the others where some rows are wrong.")
@click.option("--dry-run", is_flag=True, help="Say what is wrong, and add nobody.")
@click.option("--send-mail", is_flag=True, help="Mail each invitation, with the password, which is not printed then.")
@as_json
@with_settings
def import_people(  # noqa: PLR0913 - one argument per option
    loaded: LoadedSettings,
    *,
    file: BinaryIO,
    skip_bad_rows: bool,
    dry_run: bool,
    send_mail: bool,
    json_output: bool,
) -> None:
    """Add everybody in a CSV file, as spreadsheets write it: all of them, or nobody and what is wrong.

    The first line names the columns: email, full_name, role, workspaces, workspace_role, username, groups. Only email
    is needed. Names of several workspaces or groups stand in one cell, with commas between. The passwords that were
    made are printed as CSV, this once.
    """
    if send_mail and loaded.settings.mail.transport == "none":
        message = "no mail is sent here: choose a `mail.transport`, or hand the passwords over yourself"
        raise click.UsageError(message)
    try:
        rows = read_people(file.read(), send_mail=send_mail)
    except UnreadableList as error:
        raise click.ClickException(str(error)) from error

    async def work(opened: OpenedMembers) -> list[Invited]:
        good = await _good_rows(opened, rows, skip_bad_rows=skip_bad_rows)
        if dry_run:
            click.echo(f"{_people(len(good))} would be added.", err=True)
            return []
        return await _invite(opened, good)

    invited = with_members(loaded.settings, work)
    if not dry_run:
        _print(invited, json_output=json_output, with_passwords=not send_mail)
    elif json_output:
        print_json(invited)


async def _good_rows(opened: OpenedMembers, rows: Sequence[ReadRow], *, skip_bad_rows: bool) -> _Good:
    """Report every bad row, and give the others; a bad row ends the command unless it may be skipped."""
    readable = [(row.line, row.invitation) for row in rows if row.invitation is not None]
    found = await opened.invitations.problems(None, [invitation for _, invitation in readable])
    problems: _Problems = {row.line: dict(row.problems) for row in rows if row.problems}
    problems |= _by_line(readable, found)
    _report(problems)
    good = [(line, invitation) for line, invitation in readable if line not in problems]
    if problems and not (skip_bad_rows and good):
        message = f"nobody was added: {_rows(len(problems))} of {len(rows)} cannot be taken"
        raise click.ClickException(message)
    return good


async def _invite(opened: OpenedMembers, good: _Good) -> list[Invited]:
    with click.progressbar(
        length=len(good), label="Adding people", file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        try:
            return await opened.invitations.invite(
                None, [invitation for _, invitation in good], progress=lambda _done: bar.update(1)
            )
        except InvalidRows as refusal:
            # Somebody took an address while passwords were hashed.
            _report(_by_line(good, refusal.rows))
            message = "nobody was added: something changed meanwhile, begin again"
            raise click.ClickException(message) from refusal


def _by_line(rows: _Good, problems: Mapping[int, Mapping[str, str]]) -> _Problems:
    return {
        rows[number][0]: {_COLUMN_OF.get(field, field): reason for field, reason in found.items()}
        for number, found in problems.items()
    }


def _report(problems: _Problems) -> None:
    for line, found in sorted(problems.items()):
        for column, reason in found.items():
            click.echo(f"line {line}, {column}: {reason}", err=True)


def _print(invited: Sequence[Invited], *, json_output: bool, with_passwords: bool) -> None:
    click.echo(f"{_people(len(invited))} added.", err=True)
    if json_output:
        shown = [
            {**shown_member(one.member), **({"password": one.password} if with_passwords else {})} for one in invited
        ]
        print_json(shown)
    elif with_passwords:
        click.echo(as_csv(("email", "password")))
        for one in invited:
            click.echo(as_csv((one.member.account.email, one.password or "")))


def _people(count: int) -> str:
    return "one person" if count == 1 else f"{count} people"


def _rows(count: int) -> str:
    return "one row" if count == 1 else f"{count} rows"
