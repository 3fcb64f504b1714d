"""`gateway key`: API keys, from the shell."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gateway.api_keys import ApiKeys, Grant
from gateway.commands.arguments import as_json, parsed
from gateway.commands.output import print_json, print_list
from gateway.commands.settings_options import settings_options, with_settings
from gateway.commands.store import find_person, make_revocation, with_database
from gateway.config.secrets import load_secrets
from gateway.credentials.key_scopes import parse_scope, plain_scope
from gateway.errors import NotFound
from gateway.grammar.durations import parse_duration
from gateway.grammar.email import parse_email
from gateway.grammar.moments import format_moment, format_moment_or_none, parse_moment
from gateway.grammar.names import parse_name
from gateway.grammar.service_names import parse_service_name
from gateway.models import Account, ApiKey, ServiceAccount
from gateway.organization.service_accounts.service_accounts import require_service_account
from gateway.owned_api_keys import OwnedApiKeys
from gateway.preparation import require_salt_of_gateway
from gateway.storage.accounts import list_accounts
from gateway.storage.api_keys import find_api_key, list_api_keys
from gateway.storage.database import Database
from gateway.storage.service_accounts import list_service_accounts
from gateway.wiring.keys import key_formats, key_limits

if TYPE_CHECKING:
    from gateway.config.loading import LoadedSettings
    from gateway.config.settings import Settings
    from gateway.key_limits import KeyLimitsInForce

_Result = TypeVar("_Result")

_ONE_OWNER = "say whose key it is, by --email or by --service"


def _parse_expiry(text: str) -> datetime:
    """Read a moment, or a duration from now on."""
    try:
        # A bare number may be meant as days, or as a year: it is neither.
        duration = None if text.isdecimal() or "-" in text else parse_duration(text)
        return parse_moment(text) if duration is None else datetime.now(UTC) + duration
    except ValueError:
        message = "write a moment such as 2030-12-31T23:59:59Z, or a duration such as 30d"
        raise ValueError(message) from None


@dataclass(frozen=True, slots=True)
class _Opened:
    """The store and the keys in it, of either kind."""

    database: Database
    of_people: OwnedApiKeys
    of_services: OwnedApiKeys
    limits: KeyLimitsInForce

    async def create(self, owner: Account | ServiceAccount, grant: Grant) -> tuple[ApiKey, str]:
        if isinstance(owner, ServiceAccount):
            return await self.of_services.create(owner.id, grant)
        async with self.database.read() as connection:
            if (await self.limits.read(connection)).pat_creation_disabled:
                click.echo("note: pat_creation_disabled is on, and people cannot make such a key themselves.", err=True)
        return await self.of_people.create(owner.id, grant)

    async def owner(self, email: str | None, service: str | None) -> Account | ServiceAccount:
        if service is None:
            return await find_person(self.database, email or "")
        async with self.database.read() as connection:
            return await require_service_account(connection, service)

    async def list(self, owner: Account | ServiceAccount | None) -> list[tuple[ApiKey, str]]:
        """List keys and what their owners are called."""
        async with self.database.read() as connection:
            names = {one.id: one.email for one in await list_accounts(connection)}
            names |= {one.id: _called(one) for one in await list_service_accounts(connection)}
            found = await list_api_keys(connection, None if owner is None else owner.id)
        # An owner may have gone between the two questions, and the key with it.
        return [(api_key, names[api_key.owner_id]) for api_key in found if api_key.owner_id in names]

    async def revoke(self, api_key_id: str) -> None:
        async with self.database.read() as connection:
            api_key = await find_api_key(connection, api_key_id)
        if api_key is None:
            message = f"there is no API key with the id {api_key_id}: `gateway key list` shows them"
            raise NotFound(message)
        await (self.of_services if api_key.of_service else self.of_people).delete(api_key.owner_id, api_key.id)


def _called(owner: Account | ServiceAccount) -> str:
    return f"service:{owner.name}" if isinstance(owner, ServiceAccount) else owner.email


@click.group()
@settings_options
def key() -> None:
    """Make, list and revoke API keys, of people and of service accounts. People make their own with POST /api/api-keys.

    These commands work beside a running gateway: it acts on them within a second.
    """


@key.command()
@click.option("--email", callback=parsed(parse_email), help="The owner: the key acts in their name.")
@click.option("--service", callback=parsed(parse_service_name), metavar="NAME", help="The owner is a service account.")
@click.option("--name", required=True, callback=parsed(parse_name), help="What the key is for.")
@click.option(
    "--expires", callback=parsed(_parse_expiry), metavar="MOMENT", help="ISO 8601, or a duration such as 30d."
)
@click.option("--host", default="", help="Limit it to a host, or to *.host.")
@click.option("--path", default="", help="Limit it to paths, as a glob such as /api/**.")
@click.option("--method", "methods", multiple=True, help="Limit it to a method such as GET (repeatable).")
@as_json
@with_settings
def create(  # noqa: PLR0913 - one argument per option
    loaded: LoadedSettings,
    *,
    email: str | None,
    service: str | None,
    name: str,
    expires: datetime | None,
    host: str,
    path: str,
    methods: tuple[str, ...],
    json_output: bool,
) -> None:
    """Make a key and print it, once. Its owner is a person (--email) or a service account (--service).

    The organization's limits of keys count here as well: without --expires a key ends with the longest life that is
    allowed. That people may not make keys themselves (pat_creation_disabled) does not bind an operator.
    """
    if (email is None) == (service is None):
        raise click.UsageError(_ONE_OWNER)
    try:
        scope = parse_scope(host=host, path=path, methods=methods)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    grant = Grant(name, scopes=(scope,) if host or path or methods else (), expires_at=expires)

    async def work(opened: _Opened) -> tuple[ApiKey, str, str]:
        owner = await opened.owner(email, service)
        return *await opened.create(owner, grant), _called(owner)

    api_key, secret, owner = _run(loaded.settings, work)
    shown = {"key": secret, **_shown(api_key, owner)}
    if json_output:
        print_json(shown)
        return
    for label, value in shown.items():
        click.echo(f"{label + ':':14}{value}")
    click.echo("Keep the key now: it is not shown again.")


@key.command(name="list")
@click.option("--email", callback=parsed(parse_email), help="Only this owner's.")
@click.option("--service", callback=parsed(parse_service_name), metavar="NAME", help="Only this service account's.")
@as_json
@with_settings
def list_keys(loaded: LoadedSettings, *, email: str | None, service: str | None, json_output: bool) -> None:
    """List keys, newest first."""
    if None not in {email, service}:
        raise click.UsageError(_ONE_OWNER)

    async def work(opened: _Opened) -> list[tuple[ApiKey, str]]:
        return await opened.list(None if email is service is None else await opened.owner(email, service))

    found = [_shown(api_key, owner) for api_key, owner in _run(loaded.settings, work)]
    print_list(found, json_output=json_output, as_object=dict, as_line=_line)


@key.command()
@click.argument("api_key_id", metavar="ID")
@as_json
@with_settings
def revoke(loaded: LoadedSettings, *, api_key_id: str, json_output: bool) -> None:
    """End a key at once. Its id is in the list; it is not the key itself."""
    _run(loaded.settings, lambda opened: opened.revoke(api_key_id))
    click.echo(json.dumps({"revoked": api_key_id}) if json_output else f"Revoked {api_key_id}.")


def _run(settings: Settings, work: Callable[[_Opened], Awaitable[_Result]]) -> _Result:
    async def run(database: Database) -> _Result:
        secrets = load_secrets(settings)
        await require_salt_of_gateway(secrets, database)
        api_keys = ApiKeys(database, formats=key_formats(settings), digest_key=secrets.api_key_salt)
        revocation, limits = make_revocation(settings, database), key_limits(settings)
        of_people, of_services = (
            OwnedApiKeys(database, api_keys=api_keys, revocation=revocation, limits=limits, of_service=of_service)
            for of_service in (False, True)
        )
        return await work(_Opened(database, of_people, of_services, limits))

    return with_database(settings, run)


def _line(shown: dict[str, Any]) -> str:
    return f"{shown['id']}  {shown['prefix']:16} {shown['owner']:32} {shown['expires_at']!s:28} {shown['name']}"


def _shown(api_key: ApiKey, owner: str) -> dict[str, Any]:
    return {
        "id": api_key.id,
        "prefix": api_key.prefix,
        "owner": owner,
        "name": api_key.name,
        "scopes": [plain_scope(scope) for scope in api_key.scopes],
        "created_at": format_moment(api_key.created_at),
        "expires_at": format_moment_or_none(api_key.expires_at),
        "last_used_at": format_moment_or_none(api_key.last_used_at),
    }
