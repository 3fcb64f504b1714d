"""`gateway key`: API keys, from the shell."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gateway.account.api_keys import OwnedApiKeys
from gateway.account.key_scopes import parse_scope, plain_scope
from gateway.api_keys import ApiKeys, Grant
from gateway.commands.arguments import as_json, parsed
from gateway.commands.event_loop import run_async
from gateway.commands.settings_options import settings_options, with_settings
from gateway.commands.store import make_revocation, open_database
from gateway.config.secrets import load_secrets
from gateway.credentials.api_keys import ApiKeyFormat
from gateway.errors import InvalidFields, NotFound
from gateway.grammar.durations import parse_duration
from gateway.grammar.email import parse_email
from gateway.grammar.moments import format_moment, parse_moment
from gateway.grammar.names import parse_name
from gateway.log_output import configure_logs
from gateway.models import Account, ApiKey
from gateway.organization.accounts import require_account
from gateway.preparation import require_salt_of_gateway
from gateway.storage.accounts import list_accounts
from gateway.storage.api_keys import find_api_key, list_api_keys
from gateway.storage.database import Database

if TYPE_CHECKING:
    from gateway.config.loading import LoadedSettings
    from gateway.config.settings import Settings

_Result = TypeVar("_Result")


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
    """The store and the keys in it."""

    database: Database
    keys: OwnedApiKeys

    async def owner(self, email: str) -> Account:
        async with self.database.read() as connection:
            return await require_account(connection, email)

    async def list(self, account_id: str | None) -> list[tuple[ApiKey, str]]:
        """List keys and their owners' addresses."""
        async with self.database.read() as connection:
            emails = {account.id: account.email for account in await list_accounts(connection)}
            return [(api_key, emails[api_key.account_id]) for api_key in await list_api_keys(connection, account_id)]

    async def revoke(self, api_key_id: str) -> None:
        async with self.database.read() as connection:
            api_key = await find_api_key(connection, api_key_id)
        if api_key is None:
            message = f"there is no API key with the id {api_key_id}: `gateway key list` shows them"
            raise NotFound(message)
        await self.keys.delete(api_key.account_id, api_key.id)


@click.group()
@settings_options
def key() -> None:
    """Make, list and revoke API keys. People make their own with POST /api/api-keys.

    These commands work beside a running gateway: it acts on them within a second.
    """


@key.command()
@click.option("--email", required=True, callback=parsed(parse_email), help="The owner: the key acts in their name.")
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
    email: str,
    name: str,
    expires: datetime | None,
    host: str,
    path: str,
    methods: tuple[str, ...],
    json_output: bool,
) -> None:
    """Make a key and print it, once."""
    try:
        scope = parse_scope(host=host, path=path, methods=methods)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    grant = Grant(name, scopes=(scope,) if host or path or methods else (), expires_at=expires)

    async def work(opened: _Opened) -> tuple[ApiKey, str]:
        return await opened.keys.create((await opened.owner(email)).id, grant)

    api_key, secret = _run(loaded.settings, work)
    shown = {"key": secret, **_shown(api_key, email)}
    if json_output:
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
        return
    for label, value in shown.items():
        click.echo(f"{label + ':':14}{value}")
    click.echo("Keep the key now: it is not shown again.")


@key.command(name="list")
@click.option("--email", callback=parsed(parse_email), help="Only this owner's.")
@as_json
@with_settings
def list_keys(loaded: LoadedSettings, *, email: str | None, json_output: bool) -> None:
    """List keys, newest first."""

    async def work(opened: _Opened) -> list[tuple[ApiKey, str]]:
        return await opened.list(None if email is None else (await opened.owner(email)).id)

    found = [_shown(api_key, owner) for api_key, owner in _run(loaded.settings, work)]
    if json_output:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for shown in found:
        click.echo(
            f"{shown['id']}  {shown['prefix']:16} {shown['owner']:32} {shown['expires_at']!s:28} {shown['name']}"
        )


@key.command()
@click.argument("api_key_id", metavar="ID")
@as_json
@with_settings
def revoke(loaded: LoadedSettings, *, api_key_id: str, json_output: bool) -> None:
    """End a key at once. Its id is in the list; it is not the key itself."""
    _run(loaded.settings, lambda opened: opened.revoke(api_key_id))
    click.echo(json.dumps({"revoked": api_key_id}) if json_output else f"Revoked {api_key_id}.")


def _run(settings: Settings, work: Callable[[_Opened], Awaitable[_Result]]) -> _Result:
    async def run() -> _Result:
        async with _opened(settings) as opened:
            return await work(opened)

    configure_logs(settings.log)
    return run_async(run())


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[_Opened]:
    secrets = load_secrets(settings)
    key_format = ApiKeyFormat(settings.api_key_prefix)
    async with open_database(settings) as database:
        await require_salt_of_gateway(secrets, database)
        api_keys = ApiKeys(database, key_format=key_format, digest_key=secrets.api_key_salt)
        revocation = make_revocation(settings, database)
        try:
            yield _Opened(database, OwnedApiKeys(database, api_keys=api_keys, revocation=revocation))
        except InvalidFields as refusal:
            raise click.ClickException(" ".join(refusal.fields.values())) from refusal


def _shown(api_key: ApiKey, owner: str) -> dict[str, Any]:
    return {
        "id": api_key.id,
        "prefix": api_key.prefix,
        "owner": owner,
        "name": api_key.name,
        "scopes": [plain_scope(scope) for scope in api_key.scopes],
        "created_at": format_moment(api_key.created_at),
        "expires_at": None if api_key.expires_at is None else format_moment(api_key.expires_at),
        "last_used_at": None if api_key.last_used_at is None else format_moment(api_key.last_used_at),
    }
