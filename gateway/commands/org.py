"""`gateway org`: the organization as a whole, from the shell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gateway.commands.arguments import as_json
from gateway.commands.org_settings import set_limits
from gateway.commands.output import print_json
from gateway.commands.settings_options import settings_options, with_settings
from gateway.commands.store import with_database
from gateway.organization.overview import Overview, survey

if TYPE_CHECKING:
    from gateway.config.loading import LoadedSettings


@click.group()
@settings_options
def org() -> None:
    """Show the organization, and say what is allowed of API keys.

    These commands work beside a running gateway: it acts on them within a second.
    """


org.add_command(set_limits)


@org.command()
@as_json
@with_settings
def show(loaded: LoadedSettings, *, json_output: bool) -> None:
    """Show the organization: its id and mode, its workspaces, and how many people have which role."""
    found = with_database(loaded.settings, survey)
    if json_output:
        print_json(_shown(found))
        return
    click.echo(f"{found.organization.display_name} ({found.organization.id}), mode {found.organization.mode}")
    for role, count in found.members.items():
        click.echo(f"  {role:24} {count}")
    click.echo("Workspaces:")
    for workspace in found.workspaces:
        click.echo(f"  {workspace.id}  {workspace.display_name}")


def _shown(found: Overview) -> dict[str, Any]:
    return {
        "id": found.organization.id,
        "display_name": found.organization.display_name,
        "mode": found.organization.mode.value,
        "workspaces": [{"id": one.id, "display_name": one.display_name} for one in found.workspaces],
        "members": {role.value: count for role, count in found.members.items()},
    }
