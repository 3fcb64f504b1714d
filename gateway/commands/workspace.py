"""`gateway workspace`: workspaces and who is in them, from the shell."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gateway.commands.arguments import as_json, email_argument, parsed
from gateway.commands.output import print_json, print_list
from gateway.commands.settings_options import settings_options, with_settings
from gateway.commands.store import find_person, make_revocation, with_database
from gateway.grammar.moments import format_moment
from gateway.grammar.workspace_names import parse_workspace_name
from gateway.models import Workspace, WorkspaceRole
from gateway.organization.role_names import parse_workspace_role
from gateway.organization.workspaces.members import WorkspaceMembers
from gateway.organization.workspaces.workspaces import Workspaces
from gateway.storage.workspace_members import WorkspaceMember
from gateway.storage.workspaces import usual_workspace_role

if TYPE_CHECKING:
    from gateway.config.loading import LoadedSettings
    from gateway.config.settings import Settings
    from gateway.models import Account, WorkspaceRole
    from gateway.storage.database import Database

_Result = TypeVar("_Result")

workspace_argument = click.argument("named", metavar="WORKSPACE")
name_argument = click.argument("name", callback=parsed(parse_workspace_name))
role_argument = click.argument("role", metavar="ROLE", callback=parsed(parse_workspace_role))
role_option = click.option(
    "--role",
    metavar="ROLE",
    callback=parsed(parse_workspace_role),
    help="Admin, Editor or Viewer; without it, what goes with the role in the organization.",
)


@click.group()
@settings_options
def workspace() -> None:
    """Make workspaces, and say who is in them. WORKSPACE is a name or an id.

    These commands work beside a running gateway: it acts on them within a second. An Organization Admin is an admin of
    every workspace, whether listed there or not.

    \b
    Examples:
      gateway workspace add Research
      gateway workspace add-member Research ann@example.com --role Viewer
      gateway workspace role Research ann@example.com Editor
    """  # noqa: D301 - click reads \b as "leave these lines alone"


@workspace.command()
@name_argument
@as_json
@with_settings
def add(loaded: LoadedSettings, *, name: str, json_output: bool) -> None:
    """Add an empty workspace."""
    made = _run(loaded.settings, lambda opened: opened.workspaces.add(name, asker=None))
    _print(_Shown(made, []), json_output=json_output)


@workspace.command(name="list")
@as_json
@with_settings
def list_workspaces(loaded: LoadedSettings, *, json_output: bool) -> None:
    """List every workspace, the oldest first: that is where people are unless something else is said."""
    found = _run(loaded.settings, lambda opened: opened.workspaces.list())
    print_list(found, json_output=json_output, as_object=_object, as_line=lambda one: f"{one.id}  {one.display_name}")


@workspace.command()
@workspace_argument
@as_json
@with_settings
def show(loaded: LoadedSettings, *, named: str, json_output: bool) -> None:
    """Show who is in a workspace."""
    _print(_run(loaded.settings, lambda opened: opened.show(named)), json_output=json_output)


@workspace.command()
@workspace_argument
@name_argument
@as_json
@with_settings
def rename(loaded: LoadedSettings, *, named: str, name: str, json_output: bool) -> None:
    """Give a workspace another name; its id stays."""

    async def work(opened: _Opened) -> _Shown:
        await opened.workspaces.rename((await opened.workspaces.find(named)).id, name)
        return await opened.show(name)

    _print(_run(loaded.settings, work), json_output=json_output)


@workspace.command()
@workspace_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
@with_settings
def remove(loaded: LoadedSettings, *, named: str, yes: bool, json_output: bool) -> None:
    """Remove a workspace; the people in it stay in the organization. The last one cannot be removed."""
    found = _run(loaded.settings, lambda opened: opened.workspaces.find(named))
    if not yes:
        click.confirm(f"Remove the workspace {found.display_name} ({found.id})?", abort=True, err=True)
    removed = _run(loaded.settings, lambda opened: opened.workspaces.remove(found.id))
    click.echo(json.dumps({"removed": removed.id}) if json_output else f"Removed {removed.display_name}.")


@workspace.command(name="add-member")
@workspace_argument
@email_argument
@role_option
@as_json
@with_settings
def add_member(
    loaded: LoadedSettings, *, named: str, email: str, role: WorkspaceRole | None, json_output: bool
) -> None:
    """Put a person into a workspace."""

    async def change(opened: _Opened, workspace_id: str, account: Account) -> None:
        await opened.members.add(workspace_id, account.id, role or usual_workspace_role(account.role))

    _change(loaded, named, email, change, json_output=json_output)


@workspace.command(name="role")
@workspace_argument
@email_argument
@role_argument
@as_json
@with_settings
def set_role(loaded: LoadedSettings, *, named: str, email: str, role: WorkspaceRole, json_output: bool) -> None:
    """Give a person another role in a workspace: Admin, Editor or Viewer."""

    async def change(opened: _Opened, workspace_id: str, account: Account) -> None:
        await opened.members.set_role(workspace_id, account.id, role)

    _change(loaded, named, email, change, json_output=json_output)


@workspace.command(name="remove-member")
@workspace_argument
@email_argument
@as_json
@with_settings
def remove_member(loaded: LoadedSettings, *, named: str, email: str, json_output: bool) -> None:
    """Take a person out of a workspace."""

    async def change(opened: _Opened, workspace_id: str, account: Account) -> None:
        await opened.members.remove(workspace_id, account.id)

    _change(loaded, named, email, change, json_output=json_output)


@dataclass(frozen=True, slots=True)
class _Shown:
    workspace: Workspace
    members: list[WorkspaceMember]


@dataclass(frozen=True, slots=True)
class _Opened:
    """The store, and the workspaces in it."""

    database: Database
    workspaces: Workspaces
    members: WorkspaceMembers

    async def show(self, named: str) -> _Shown:
        found = await self.workspaces.find(named)
        return _Shown(found, await self.members.list(found.id))


def _change(
    loaded: LoadedSettings,
    named: str,
    email: str,
    change: Callable[[_Opened, str, Account], Awaitable[None]],
    *,
    json_output: bool,
) -> None:
    """Change one person's place in a workspace, and show the workspace as it is then."""

    async def work(opened: _Opened) -> _Shown:
        found, account = await opened.workspaces.find(named), await find_person(opened.database, email)
        await change(opened, found.id, account)
        return await opened.show(found.id)

    _print(_run(loaded.settings, work), json_output=json_output)


def _run(settings: Settings, work: Callable[[_Opened], Awaitable[_Result]]) -> _Result:
    def opened(database: Database) -> _Opened:
        revocation = make_revocation(settings, database)
        workspaces = Workspaces(database, revocation=revocation)
        return _Opened(database, workspaces, WorkspaceMembers(database, revocation=revocation))

    return with_database(settings, lambda database: work(opened(database)))


def _print(shown: _Shown, *, json_output: bool) -> None:
    if json_output:
        members = [
            {"email": one.account.email, "role": one.role.value, "since": format_moment(one.since)}
            for one in shown.members
        ]
        print_json({**_object(shown.workspace), "members": members})
        return
    click.echo(f"{shown.workspace.display_name} ({shown.workspace.id})")
    for member in shown.members:
        click.echo(f"  {member.account.email:40} {member.role.value:8} {member.account.name}")


def _object(found: Workspace) -> dict[str, Any]:
    return {"id": found.id, "display_name": found.display_name, "created_at": format_moment(found.created_at)}
