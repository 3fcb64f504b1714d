"""`gateway service-account`: what programs are, from the shell."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gateway.commands.arguments import as_json, parsed
from gateway.commands.output import print_json, print_list
from gateway.commands.settings_options import settings_options, with_settings
from gateway.commands.store import make_revocation, with_database
from gateway.grammar.moments import format_moment
from gateway.grammar.service_names import parse_service_name
from gateway.organization.role_names import parse_organization_role, parse_workspace_role
from gateway.organization.service_accounts.service_accounts import (
    KnownServiceAccount,
    ServiceAccounts,
    WantedServiceAccount,
)
from gateway.organization.workspaces.workspaces import Workspaces

if TYPE_CHECKING:
    from gateway.config.loading import LoadedSettings
    from gateway.config.settings import Settings
    from gateway.models import OrganizationRole, WorkspaceRole
    from gateway.storage.database import Database

_Result = TypeVar("_Result")
_Command = TypeVar("_Command", bound=Callable[..., Any])

name_argument = click.argument("name", metavar="NAME", callback=parsed(parse_service_name))


def wanted_options(command: _Command) -> _Command:
    """Add the options that say what a service account shall be."""
    for option in (
        click.option("--no-default-workspace", is_flag=True, help="Let every request say which workspace it means."),
        click.option("--default-workspace", metavar="NAME|ID", help="The workspace that is meant where none is said."),
        click.option(
            "--workspace-role", metavar="ROLE", callback=parsed(parse_workspace_role), help="Admin, Editor, Viewer."
        ),
        click.option("--no-workspaces", is_flag=True, help="Put it into none."),
        click.option("--workspace", "workspaces", multiple=True, metavar="NAME|ID", help="Put it there (repeatable)."),
        click.option(
            "--role", metavar="ROLE", callback=parsed(parse_organization_role), help="admin, operator, user, viewer."
        ),
    ):
        command = option(command)
    return command


@click.group(name="service-account")
@settings_options
def service_account() -> None:
    """Add, change and remove service accounts: programs that have keys and never log in.

    Their keys are made with `gateway key create --service NAME`. These commands work beside a running gateway: it acts
    on them within a second.
    """


@service_account.command()
@name_argument
@wanted_options
@as_json
@with_settings
def add(loaded: LoadedSettings, /, *, name: str, json_output: bool, **wanted: Any) -> None:  # noqa: ANN401 - the options
    """Add a service account: an Organization User in the default workspace, unless something else is said."""
    asked = _wanted(**wanted)

    async def work(opened: _Opened) -> KnownServiceAccount:
        return await opened.accounts.add(name, await opened.with_ids(asked), asker=None)

    _print(_run(loaded.settings, work), json_output=json_output)


@service_account.command(name="list")
@as_json
@with_settings
def list_accounts(loaded: LoadedSettings, *, json_output: bool) -> None:
    """List every service account."""
    found = _run(loaded.settings, lambda opened: opened.accounts.list())
    print_list(found, json_output=json_output, as_object=_shown, as_line=_line)


@service_account.command()
@name_argument
@as_json
@with_settings
def show(loaded: LoadedSettings, *, name: str, json_output: bool) -> None:
    """Show one service account."""
    _print(_run(loaded.settings, lambda opened: opened.accounts.find_by_name(name)), json_output=json_output)


@service_account.command()
@name_argument
@wanted_options
@as_json
@with_settings
def change(loaded: LoadedSettings, /, *, name: str, json_output: bool, **wanted: Any) -> None:  # noqa: ANN401 - the options
    """Change the role or the workspaces. What is not said stays; --workspace gives the whole list anew."""
    asked = _wanted(**wanted)

    async def work(opened: _Opened) -> KnownServiceAccount:
        found = await opened.accounts.find_by_name(name)
        return await opened.accounts.change(found.account.id, await opened.with_ids(asked), asker=None)

    _print(_run(loaded.settings, work), json_output=json_output)


@service_account.command()
@name_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
@with_settings
def remove(loaded: LoadedSettings, *, name: str, yes: bool, json_output: bool) -> None:
    """Remove a service account. All its keys end at once, and cannot be had back."""
    found = _run(loaded.settings, lambda opened: opened.accounts.find_by_name(name)).account
    if not yes:
        click.confirm(f"Remove {found.name} with all its keys?", abort=True, err=True)
    removed = _run(loaded.settings, lambda opened: opened.accounts.remove(found.id)).name
    shown = json.dumps({"removed": removed}, ensure_ascii=False)
    click.echo(shown if json_output else f"Removed {removed}, with its keys.")


def _wanted(  # noqa: PLR0913 - one argument per option
    *,
    role: OrganizationRole | None,
    workspaces: tuple[str, ...],
    no_workspaces: bool,
    workspace_role: WorkspaceRole | None,
    default_workspace: str | None,
    no_default_workspace: bool,
) -> WantedServiceAccount:
    if (workspaces and no_workspaces) or (default_workspace is not None and no_default_workspace):
        message = "say either which workspaces, or none"
        raise click.UsageError(message)
    return WantedServiceAccount(
        role=role,
        workspace_ids=workspaces if workspaces or no_workspaces else None,
        workspace_role=workspace_role,
        default_workspace_id=default_workspace,
        default_workspace_said=default_workspace is not None or no_default_workspace,
    )


@dataclass(frozen=True, slots=True)
class _Opened:
    """The service accounts, and the workspaces that the options name."""

    accounts: ServiceAccounts
    workspaces: Workspaces

    async def with_ids(self, asked: WantedServiceAccount) -> WantedServiceAccount:
        """Put ids in the place of names. Raises `NotFound`."""
        ids, default = asked.workspace_ids, asked.default_workspace_id
        return replace(
            asked,
            workspace_ids=None if ids is None else tuple([await self._id(named) for named in ids]),
            default_workspace_id=None if default is None else await self._id(default),
        )

    async def _id(self, named: str) -> str:
        return (await self.workspaces.find(named)).id


def _run(settings: Settings, work: Callable[[_Opened], Awaitable[_Result]]) -> _Result:
    def opened(database: Database) -> _Opened:
        revocation = make_revocation(settings, database)
        return _Opened(ServiceAccounts(database, revocation=revocation), Workspaces(database, revocation=revocation))

    return with_database(settings, lambda database: work(opened(database)))


def _print(found: KnownServiceAccount, *, json_output: bool) -> None:
    shown = _shown(found)
    if json_output:
        print_json(shown)
        return
    for label, value in shown.items():
        if label != "workspaces":
            click.echo(f"{label + ':':22}{'-' if value is None else value}")
    for one in shown["workspaces"]:
        click.echo(f"  {one['id']}  {one['role']:8} {one['display_name']}")


def _line(found: KnownServiceAccount) -> str:
    workspaces = ", ".join(membership.workspace.display_name for membership in found.memberships)
    return f"{found.account.id}  {found.account.name:32} {found.account.role.value:22} {workspaces}"


def _shown(found: KnownServiceAccount) -> dict[str, Any]:
    account = found.account
    return {
        "id": account.id,
        "name": account.name,
        "role": account.role.value,
        "default_workspace_id": account.default_workspace_id,
        "created_at": format_moment(account.created_at),
        "workspaces": [
            {"id": one.workspace.id, "display_name": one.workspace.display_name, "role": one.role.value}
            for one in found.memberships
        ],
    }
