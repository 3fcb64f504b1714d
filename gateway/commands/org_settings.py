"""`gateway org set`: what the organization allows of new keys, from the shell."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from gateway.commands.arguments import as_json
from gateway.commands.output import print_json
from gateway.commands.settings_options import with_settings
from gateway.commands.store import make_revocation, with_database
from gateway.key_limits import KEY_LIMITS, MAX_EXPIRY_DAYS
from gateway.organization.key_limits import OrganizationKeyLimits, OrganizationWithLimits
from gateway.wiring.keys import key_limits

if TYPE_CHECKING:
    from gateway.config.loading import LoadedSettings
    from gateway.config.settings import Settings
    from gateway.storage.database import Database

_SWITCH = "pat_creation_disabled"
_MAX_DIGITS = 4


@click.command(name="set")
@click.argument("assignments", nargs=-1, metavar="NAME=VALUE...")
@as_json
@with_settings
def set_limits(loaded: LoadedSettings, *, assignments: tuple[str, ...], json_output: bool) -> None:
    """Say what is allowed of new API keys, and show it. Without NAME=VALUE nothing changes.

    \b
    pat_creation_disabled=true|false         nobody makes personal keys
    max_api_key_expiry_days=DAYS|none        every key ends by then
    max_pat_expiry_days=DAYS|none            personal keys do
    max_service_key_expiry_days=DAYS|none    keys of service accounts do
    """  # noqa: D301 - click reads \\b as "leave these lines alone"
    wanted = dict(_read(assignment) for assignment in assignments)
    found = _change(loaded.settings, wanted)
    if json_output:
        print_json(asdict(found.limits))
        return
    for name, value in asdict(found.limits).items():
        source = "  (from the configuration)" if name in loaded.settings.organization.key_limits else ""
        click.echo(f"{name}={'none' if value is None else str(value).lower()}{source}")


def _change(settings: Settings, wanted: dict[str, Any]) -> OrganizationWithLimits:
    async def work(database: Database) -> OrganizationWithLimits:
        revocation = make_revocation(settings, database)
        limits = OrganizationKeyLimits(database, revocation=revocation, in_force=key_limits(settings))
        return await limits.change(wanted) if wanted else await limits.show()

    return with_database(settings, work)


def _read(assignment: str) -> tuple[str, Any]:
    name, equals, text = (part.strip() for part in assignment.partition("="))
    if not equals or name not in KEY_LIMITS:
        message = f"{assignment}: write NAME=VALUE, with one of {', '.join(KEY_LIMITS)}"
        raise click.UsageError(message)
    if name == _SWITCH:
        if text not in {"true", "false"}:
            message = f"{name}: write true or false"
            raise click.UsageError(message)
        return name, text == "true"
    if text == "none":
        return name, None
    digits = text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS
    if not digits or not 1 <= int(text) <= MAX_EXPIRY_DAYS:
        message = f"{name}: write a number of days from 1 to {MAX_EXPIRY_DAYS}, or none"
        raise click.UsageError(message)
    return name, int(text)
