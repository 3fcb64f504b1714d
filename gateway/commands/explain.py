"""`gateway explain`: what the rules say about a request, and why."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from gateway.client_address import parse_address
from gateway.commands.event_loop import run_async
from gateway.commands.explain_output import as_json, as_text, malformed_as_json, malformed_as_text
from gateway.commands.settings_options import loaded_settings, settings_options
from gateway.config.database_url import SqliteFile
from gateway.errors import GatewayError, MalformedRequest
from gateway.forward_auth.explanation import explain as explain_request
from gateway.forward_auth.hypothetical import Visitor, imagine_request, visitor_called
from gateway.forward_auth.policy import compile_policy
from gateway.grammar.subjects import Subject, SubjectKind, parse_visitor, require_one_visitor
from gateway.models import CredentialKind, ServiceAccount
from gateway.storage.accounts import find_account_by_email, list_accounts
from gateway.storage.database import Database
from gateway.storage.groups import list_groups_of
from gateway.storage.service_accounts import find_service_account_by_name

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.config.database_url import DatabaseAddress
    from gateway.config.settings import Settings
    from gateway.models import Account


def _address(
    _context: click.Context, _parameter: click.Parameter, written: str | None
) -> IPv4Address | IPv6Address | None:
    address = None if written is None else parse_address(written)
    if written is not None and address is None:
        message = f"{written} is no address"
        raise click.BadParameter(message)
    return address


def _subjects(written: tuple[str, ...], groups: tuple[str, ...]) -> tuple[Subject, ...]:
    try:
        subjects = *map(parse_visitor, written), *(Subject(SubjectKind.GROUP, group) for group in groups)
        require_one_visitor(subjects)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--as") from error
    return subjects


@click.command()
@click.argument("method")
@click.argument("url")
@click.option(
    "--as",
    "who",
    multiple=True,
    metavar="WHO",
    help="Who asks: a username or an e-mail address, service:NAME, role:ROLE (repeatable); nobody without it.",
)
@click.option("--group", "groups", multiple=True, metavar="GROUP", help="A group that they are in (repeatable).")
@click.option("--factors", type=click.IntRange(1, 2), help="How many factors they gave.  [default: 1]")
@click.option("--from", "address", callback=_address, metavar="ADDRESS", help="From where; unknown without it.")
@click.option(
    "--credential",
    type=click.Choice([kind.value for kind in CredentialKind]),
    help="What they present.  [default: session, or api_key of a service account]",
)
@click.option("--json", "json_output", is_flag=True, help="Print JSON.")
@settings_options
@click.pass_context
def explain(  # noqa: PLR0913 - one argument for each option
    context: click.Context,
    *,
    method: str,
    url: str,
    who: tuple[str, ...],
    groups: tuple[str, ...],
    factors: int | None,
    address: IPv4Address | IPv6Address | None,
    credential: str | None,
    json_output: bool,
) -> None:
    """Say what a check would answer, which rule decides, and why the others do not.

    Who is in the database brings groups and role from there; --group adds more. Nothing is asked of a running gateway,
    and nothing is changed.
    """
    # The rules' tests are not asked: this is the command that shows why one of them fails.
    settings = loaded_settings(context).settings
    visitor, remark = _visitor(settings, _subjects(who, groups))
    kind = CredentialKind(credential) if credential else visitor.credential
    if visitor.service is not None and kind is not CredentialKind.API_KEY:
        message = "a service account has keys only"
        raise click.BadParameter(message, param_hint="--credential")
    visitor = visitor.presenting(kind, factors=factors or _factors_of(kind, settings), client_address=address)
    try:
        original = imagine_request(method, url)
    except MalformedRequest:
        request = (method, url)
        click.echo(_dump(malformed_as_json(*request)) if json_output else malformed_as_text(*request))
        return
    explanation = explain_request(compile_policy(settings.access_control), visitor.presented(), original)
    if json_output:
        click.echo(_dump(as_json(explanation, original, visitor, remark)))
    else:
        click.echo(as_text(explanation, original, visitor, remark))


def _dump(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, indent=2)


def _factors_of(kind: CredentialKind, settings: Settings) -> int:
    return 2 if kind is CredentialKind.API_KEY and settings.api_keys_satisfy == "two_factor" else 1


def _visitor(settings: Settings, subjects: tuple[Subject, ...]) -> tuple[Visitor, str]:
    """Give the visitor, and what there is to say about the account."""
    visitor = visitor_called(subjects)
    if visitor.user is None and visitor.service is None:
        return visitor, ""
    try:
        known = run_async(_look_up(settings, visitor)) if _is_there(settings.database) else None
    except GatewayError:
        return visitor, "the database cannot be read, so that the name is taken as it is"
    if known is None:
        return visitor, "no account of that name: taken as it is"
    if isinstance(known, ServiceAccount):
        return replace(visitor, role=visitor.role or known.role), ""
    return _known_person(visitor, *known)


def _known_person(visitor: Visitor, account: Account, groups: list[str]) -> tuple[Visitor, str]:
    if not account.active(datetime.now(UTC)):
        return Visitor(), f"{account.email} is disabled or banned: a check would recognise nobody"
    if account.must_change_password:
        return Visitor(), f"{account.email} has to choose a password first: until then a check recognises nobody"
    return replace(
        visitor,
        user=account.username or account.email,
        email=account.email,
        groups=tuple(dict.fromkeys([*groups, *visitor.groups])),
        role=visitor.role or account.role,
    ), ""


def _is_there(database: DatabaseAddress) -> bool:
    """Say whether there is anything to look into: to explain a rule makes no database."""
    return not isinstance(database, SqliteFile) or database.path.exists()


async def _look_up(settings: Settings, visitor: Visitor) -> tuple[Account, list[str]] | ServiceAccount | None:
    async with Database.opened(settings.database) as database, database.read() as connection:
        if visitor.service is not None:
            return await find_service_account_by_name(connection, visitor.service)
        return await _find_person(connection, visitor.user or "")


async def _find_person(connection: AsyncConnection, user: str) -> tuple[Account, list[str]] | None:
    account = await find_account_by_email(connection, user.lower())
    if account is None:
        named = (other for other in await list_accounts(connection) if other.username == user.lower())
        account = next(named, None)
    return None if account is None else (account, await list_groups_of(connection, account.id))
