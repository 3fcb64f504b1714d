"""`gateway member` (and `gateway user`, its older name): people, from the shell."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from gateway.commands.arguments import as_json, email_argument, parsed
from gateway.commands.member_import import import_people
from gateway.commands.member_output import print_member, print_members
from gateway.commands.opened_members import OpenedMembers, with_members
from gateway.commands.output import print_json
from gateway.commands.settings_options import settings_options, with_settings
from gateway.errors import InvalidRows
from gateway.grammar.email import parse_email
from gateway.grammar.names import parse_name
from gateway.grammar.usernames import parse_username
from gateway.models import OrganizationRole, WorkspaceRole
from gateway.organization.members.handed_passwords import HandedPassword
from gateway.organization.members.invitation_rows import Invitation
from gateway.organization.members.invitations import Invited
from gateway.organization.members.members import ChangedMember, MemberChange
from gateway.organization.role_names import parse_organization_role, parse_workspace_role

if TYPE_CHECKING:
    from gateway.config.loading import LoadedSettings
    from gateway.models import Account
    from gateway.storage.members import Member

password_stdin = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input; it need not be changed then."
)


@click.group()
@settings_options
def member() -> None:
    """Add, import, change and remove people, and reset their passwords.

    These commands work beside a running gateway: it acts on them within a second.
    """


member.add_command(import_people)


@member.command()
@click.argument("address", metavar="[EMAIL]", required=False, callback=parsed(parse_email))
@click.option("--email", callback=parsed(parse_email), help="The same as an option.")
@click.option("--name", callback=parsed(parse_name), help="Without it: what stands before the @.")
@click.option("--username", callback=parsed(parse_username))
@click.option("--role", metavar="ROLE", callback=parsed(parse_organization_role), help="[default: Organization User]")
@click.option("--admin", is_flag=True, help="Give the role Organization Admin.")
@click.option("--workspace", "workspaces", multiple=True, metavar="NAME|ID", help="Repeatable; else the default one.")
@click.option("--workspace-role", metavar="ROLE", callback=parsed(parse_workspace_role), help="Admin, Editor, Viewer.")
@click.option("--send-mail", is_flag=True, help="Mail the invitation, with the password, which is not printed then.")
@password_stdin
@as_json
@with_settings
def add(  # noqa: PLR0913 - one argument per option
    loaded: LoadedSettings,
    *,
    address: str | None,
    email: str | None,
    name: str | None,
    username: str | None,
    role: OrganizationRole | None,
    admin: bool,
    workspaces: tuple[str, ...],
    workspace_role: WorkspaceRole | None,
    send_mail: bool,
    password_stdin: bool,
    json_output: bool,
) -> None:
    """Add a person. Without --password-stdin a password is made and printed once, to be changed at the first login."""
    if (address is None) == (email is None):
        message = "name the person by one e-mail address"
        raise click.UsageError(message)
    if admin and role is not None:
        message = "give --role or --admin"
        raise click.UsageError(message)
    invitation = Invitation(
        email=address or email or "",
        role=OrganizationRole.ADMIN if admin else role or OrganizationRole.USER,
        full_name=name,
        username=username,
        password=_handed(from_stdin=password_stdin),
        workspaces=workspaces or None,
        workspace_role=workspace_role,
        send_mail=send_mail,
    )
    invited = with_members(loaded.settings, lambda opened: _invite(opened, invitation))
    print_member(invited.member, json_output=json_output, password=None if send_mail else invited.password)


async def _invite(opened: OpenedMembers, invitation: Invitation) -> Invited:
    try:
        [invited] = await opened.invitations.invite(None, [invitation])
    except InvalidRows as refusal:
        raise click.ClickException(" ".join(refusal.rows[0].values())) from refusal
    return invited


@member.command(name="list")
@as_json
@with_settings
def list_people(loaded: LoadedSettings, *, json_output: bool) -> None:
    """List everybody."""
    print_members(with_members(loaded.settings, lambda opened: opened.members.list()), json_output=json_output)


@member.command()
@email_argument
@as_json
@with_settings
def show(loaded: LoadedSettings, *, email: str, json_output: bool) -> None:
    """Show one person."""
    found = with_members(loaded.settings, lambda opened: opened.members.find_by_email(email))
    print_member(found, json_output=json_output)


@member.command()
@email_argument
@click.argument("role", callback=parsed(parse_organization_role))
@as_json
@with_settings
def role(loaded: LoadedSettings, *, email: str, role: OrganizationRole, json_output: bool) -> None:
    """Give a person another role: admin, operator, user or viewer. Sessions go on with it at once."""
    print_member(_change(loaded, email, MemberChange(role=role)).member, json_output=json_output)


@member.command()
@email_argument
@as_json
@with_settings
def disable(loaded: LoadedSettings, *, email: str, json_output: bool) -> None:
    """Disable a person: every session ends, no login is possible until `enable`."""
    print_member(_change(loaded, email, MemberChange(disabled=True)).member, json_output=json_output)


@member.command()
@email_argument
@as_json
@with_settings
def enable(loaded: LoadedSettings, *, email: str, json_output: bool) -> None:
    """Let a disabled person log in again; the ended sessions stay ended."""
    print_member(_change(loaded, email, MemberChange(disabled=False)).member, json_output=json_output)


@member.command()
@email_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
@with_settings
def remove(loaded: LoadedSettings, *, email: str, yes: bool, json_output: bool) -> None:
    """Remove a person with sessions, API keys and memberships. `disable` can be taken back, and this cannot."""
    if not yes:
        click.confirm(f"Remove {email} with everything that is theirs?", abort=True, err=True)

    async def work(opened: OpenedMembers) -> Account:
        found = await opened.members.find_by_email(email)
        return await opened.members.remove(None, found.account.id)

    removed = with_members(loaded.settings, work)
    if json_output:
        print_json({"id": removed.id, "removed": removed.email})
    else:
        click.echo(f"Removed {removed.email}.")


@member.command(name="reset-password")
@email_argument
@password_stdin
@as_json
@with_settings
def reset_password(loaded: LoadedSettings, *, email: str, password_stdin: bool, json_output: bool) -> None:
    """Give a person a new password and end every session. Without --password-stdin it is made and printed once."""
    changed = _change(loaded, email, MemberChange(password=_handed(from_stdin=password_stdin)))
    print_member(changed.member, json_output=json_output, password=changed.password)


@member.command(name="remove-second-factor")
@email_argument
@as_json
@with_settings
def remove_second_factor(loaded: LoadedSettings, *, email: str, json_output: bool) -> None:
    """Take away the second factor of somebody who lost app and recovery codes; every session ends.

    Make sure that it is them who ask: their password alone opens the account then.
    """

    async def work(opened: OpenedMembers) -> Member:
        found = await opened.members.find_by_email(email)
        return await opened.members.remove_second_factor(None, found.account.id)

    print_member(with_members(loaded.settings, work), json_output=json_output)


def _change(loaded: LoadedSettings, email: str, change: MemberChange) -> ChangedMember:
    async def work(opened: OpenedMembers) -> ChangedMember:
        found = await opened.members.find_by_email(email)
        return await opened.members.change(None, found.account.id, change)

    return with_members(loaded.settings, work)


def _handed(*, from_stdin: bool) -> HandedPassword:
    """Read one line where a password is given: the line end that `echo` adds is no part of it."""
    if not from_stdin:
        return HandedPassword()
    return HandedPassword(sys.stdin.readline().removesuffix("\n").removesuffix("\r"), must_change=False)
