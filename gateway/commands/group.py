"""`gateway group`: groups and who is in them, from the shell."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gateway.commands.arguments import as_json, email_argument, parsed
from gateway.commands.event_loop import run_async
from gateway.commands.settings_options import settings_options, with_settings
from gateway.commands.store import make_revocation, open_database
from gateway.grammar.group_names import parse_group_name
from gateway.log_output import configure_logs
from gateway.organization.groups import Groups, GroupWithMembers

if TYPE_CHECKING:
    from gateway.config.loading import LoadedSettings
    from gateway.config.settings import Settings

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
    _print(_run(loaded.settings, lambda groups: groups.add(name)), json_output=json_output)


@group.command(name="list")
@as_json
@with_settings
def list_groups(loaded: LoadedSettings, *, json_output: bool) -> None:
    """List every group with the number of its members."""
    found = _run(loaded.settings, lambda groups: groups.list())
    if json_output:
        click.echo(json.dumps([_shown(one) for one in found], ensure_ascii=False, indent=2))
        return
    for one in found:
        click.echo(f"{one.group.name:40} {len(one.members)}")


@group.command()
@group_argument
@as_json
@with_settings
def show(loaded: LoadedSettings, *, name: str, json_output: bool) -> None:
    """Show who is in a group."""
    _print(_run(loaded.settings, lambda groups: groups.find(name)), json_output=json_output)


@group.command(name="add-member")
@group_argument
@email_argument
@as_json
@with_settings
def add_member(loaded: LoadedSettings, *, name: str, email: str, json_output: bool) -> None:
    """Put a person into a group."""
    _print(_run(loaded.settings, lambda groups: groups.add_member(name, email)), json_output=json_output)


@group.command(name="remove-member")
@group_argument
@email_argument
@as_json
@with_settings
def remove_member(loaded: LoadedSettings, *, name: str, email: str, json_output: bool) -> None:
    """Take a person out of a group."""
    _print(_run(loaded.settings, lambda groups: groups.remove_member(name, email)), json_output=json_output)


@group.command()
@group_argument
@as_json
@with_settings
def remove(loaded: LoadedSettings, *, name: str, json_output: bool) -> None:
    """Remove a group; the people in it stay. Rules that name it then match nobody."""
    removed = _run(loaded.settings, lambda groups: groups.remove(name))
    click.echo(json.dumps({"removed": removed.name}) if json_output else f"Removed {removed.name}.")


def _run(settings: Settings, work: Callable[[Groups], Awaitable[_Result]]) -> _Result:
    async def run() -> _Result:
        async with open_database(settings) as database:
            return await work(Groups(database, revocation=make_revocation(settings, database)))

    configure_logs(settings.log)
    return run_async(run())


def _print(found: GroupWithMembers, *, json_output: bool) -> None:
    if json_output:
        click.echo(json.dumps(_shown(found), ensure_ascii=False, indent=2))
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
