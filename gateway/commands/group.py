"""`gateway group`: groups and who is in them, from the shell."""

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
from gateway.grammar.group_names import parse_group_name
from gateway.organization.groups.groups import Groups, GroupWithMembers

if TYPE_CHECKING:
    from gateway.config.loading import LoadedSettings
    from gateway.config.settings import Settings
    from gateway.models import Group
    from gateway.storage.database import Database

_Result = TypeVar("_Result")

group_argument = click.argument("name", metavar="GROUP", callback=parsed(parse_group_name))


@click.group()
@settings_options
def group() -> None:
    """Make groups, and say who is in them. Rules refer to them (`subject: group:NAME`).

    These commands work beside a running gateway: it acts on them within a second.
    """


@group.command()
@group_argument
@as_json
@with_settings
def add(loaded: LoadedSettings, *, name: str, json_output: bool) -> None:
    """Add an empty group."""
    _print(_run(loaded.settings, lambda opened: opened.groups.add(name)), json_output=json_output)


@group.command(name="list")
@as_json
@with_settings
def list_groups(loaded: LoadedSettings, *, json_output: bool) -> None:
    """List every group with the number of its members."""
    found = _run(loaded.settings, lambda opened: opened.groups.list())
    print_list(
        found, json_output=json_output, as_object=_shown, as_line=lambda one: f"{one.group.name:40} {len(one.members)}"
    )


@group.command()
@group_argument
@as_json
@with_settings
def show(loaded: LoadedSettings, *, name: str, json_output: bool) -> None:
    """Show who is in a group."""
    _print(_run(loaded.settings, lambda opened: opened.groups.find_by_name(name)), json_output=json_output)


@group.command(name="add-member")
@group_argument
@email_argument
@as_json
@with_settings
def add_member(loaded: LoadedSettings, *, name: str, email: str, json_output: bool) -> None:
    """Put a person into a group."""
    _print(_run(loaded.settings, lambda opened: opened.add_member(name, email)), json_output=json_output)


@group.command(name="remove-member")
@group_argument
@email_argument
@as_json
@with_settings
def remove_member(loaded: LoadedSettings, *, name: str, email: str, json_output: bool) -> None:
    """Take a person out of a group."""
    _print(_run(loaded.settings, lambda opened: opened.remove_member(name, email)), json_output=json_output)


@group.command()
@group_argument
@as_json
@with_settings
def remove(loaded: LoadedSettings, *, name: str, json_output: bool) -> None:
    """Remove a group; the people in it stay. Rules that name it then match nobody."""
    removed = _run(loaded.settings, lambda opened: opened.remove(name))
    click.echo(json.dumps({"removed": removed.name}) if json_output else f"Removed {removed.name}.")


@dataclass(frozen=True, slots=True)
class _Opened:
    """The store and the groups in it. People at the shell name both groups and people."""

    database: Database
    groups: Groups

    async def add_member(self, name: str, email: str) -> GroupWithMembers:
        found, account = await self.groups.find_by_name(name), await find_person(self.database, email)
        await self.groups.add_member(found.group.id, account.id)
        return await self.groups.find(found.group.id)

    async def remove_member(self, name: str, email: str) -> GroupWithMembers:
        found, account = await self.groups.find_by_name(name), await find_person(self.database, email)
        await self.groups.remove_member(found.group.id, account.id)
        return await self.groups.find(found.group.id)

    async def remove(self, name: str) -> Group:
        return await self.groups.remove((await self.groups.find_by_name(name)).group.id)


def _run(settings: Settings, work: Callable[[_Opened], Awaitable[_Result]]) -> _Result:
    def opened(database: Database) -> _Opened:
        return _Opened(database, Groups(database, revocation=make_revocation(settings, database)))

    return with_database(settings, lambda database: work(opened(database)))


def _print(found: GroupWithMembers, *, json_output: bool) -> None:
    if json_output:
        print_json(_shown(found))
        return
    click.echo(f"{found.group.name}: {_count(len(found.members))}")
    for member in found.members:
        click.echo(f"  {member.email:40} {member.name}")


def _count(members: int) -> str:
    return "one member" if members == 1 else f"{members or 'no'} members"


def _shown(found: GroupWithMembers) -> dict[str, Any]:
    return {
        "id": found.group.id,
        "name": found.group.name,
        "members": [member.email for member in found.members],
        "created_at": found.group.created_at.isoformat(timespec="seconds"),
    }
