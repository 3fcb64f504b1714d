"""`gateway ban` and `gateway unban`: addresses and people, from the shell."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gateway.client_address import TrustedProxies
from gateway.commands.arguments import as_json, parsed
from gateway.commands.output import print_json, print_list
from gateway.commands.settings_options import with_settings
from gateway.commands.store import find_person, make_revocation, with_database
from gateway.errors import NotFound
from gateway.grammar.durations import parse_duration
from gateway.grammar.email import parse_email
from gateway.grammar.moments import format_moment
from gateway.revocation import Revocation, ring_nobody
from gateway.storage.accounts import list_accounts
from gateway.throttle.address_limits import UNKNOWN_ADDRESS, throttled_address
from gateway.throttle.bans import AddressBans

if TYPE_CHECKING:
    from gateway.config.loading import LoadedSettings
    from gateway.config.settings import Settings
    from gateway.models import Account
    from gateway.storage.database import Database

_Result = TypeVar("_Result")

# Accounts carry the end of their ban: this one is until somebody lifts it.
_UNTIL_LIFTED = datetime(9999, 1, 1, tzinfo=UTC)
_MAX_REASON = 200


@dataclass(frozen=True, slots=True)
class Target:
    """An account by its canonical e-mail address, or an address as the throttle counts it (IPv6: its /64)."""

    name: str
    is_account: bool


@dataclass(frozen=True, slots=True)
class Ban:
    """A ban that counts now; `until`: `None` where somebody has to lift it. Why an account is banned is audited."""

    target: Target
    until: datetime | None
    reason: str | None


def parse_target(text: str) -> Target:
    """Read an e-mail address, an IP address or a /64. Raise ValueError."""
    if "@" in text:
        return Target(parse_email(text), is_account=True)
    host, slash, _ = text.partition("/")
    address = throttled_address(host)
    if address == UNKNOWN_ADDRESS or (slash and str(ip_network(text, strict=False)) != address):
        message = "write an e-mail address, or one IP address (an IPv6 address stands for its /64)"
        raise ValueError(message)
    return Target(address, is_account=False)


def _parse_time(text: str) -> timedelta:
    duration = parse_duration(text)
    if not duration:
        message = "a ban takes some time"
        raise ValueError(message)
    return duration


def _parse_reason(text: str) -> str:
    if len(text) > _MAX_REASON or not text.isprintable():
        message = f"write one line of at most {_MAX_REASON} characters"
        raise ValueError(message)
    return text


@click.command()
@click.argument("target", metavar="ADDRESS|EMAIL", required=False, callback=parsed(parse_target))
@click.option("--for", "duration", metavar="DURATION", callback=parsed(_parse_time), help="Such as 2h or 7d.")
@click.option("--reason", default="", callback=parsed(_parse_reason), help="Kept in the audit log.")
@click.option("--list", "list_all", is_flag=True, help="List who is banned now.")
@as_json
@with_settings
def ban(  # noqa: PLR0913 - one argument per option
    loaded: LoadedSettings,
    *,
    target: Target | None,
    duration: timedelta | None,
    reason: str,
    list_all: bool,
    json_output: bool,
) -> None:
    """Ban an address or a person, for a time, or without --for until `gateway unban`.

    From a banned address no password, code or mailed token is tried; sessions and API keys count on. A banned person's
    sessions end, and neither a password nor an API key of theirs counts. A running gateway acts on it within a second.
    """
    if list_all == (target is not None):
        message = "name an address or a person, or give --list"
        raise click.UsageError(message)
    if target is None:
        bans = _run(loaded.settings, lambda opened: opened.list())
        print_list(bans, json_output=json_output, as_object=_shown, as_line=_line)
        return
    if not target.is_account and TrustedProxies(loaded.settings.trusted_proxies).overlap(target.name):
        click.echo(
            "note: this is a trusted proxy's address: whoever's own address it does not pass on is banned.",
            err=True,
        )
    until = None if duration is None else datetime.now(UTC) + duration
    banned = Ban(target, until, reason or None)
    _run(loaded.settings, lambda opened: opened.ban(banned))
    if json_output:
        print_json(_shown(banned))
    else:
        click.echo(_line(banned))


@click.command()
@click.argument("target", metavar="ADDRESS|EMAIL", callback=parsed(parse_target))
@as_json
@with_settings
def unban(loaded: LoadedSettings, *, target: Target, json_output: bool) -> None:
    """Lift a ban. What a ban of a person ended stays ended."""
    _run(loaded.settings, lambda opened: opened.unban(target))
    click.echo(json.dumps({"unbanned": target.name}) if json_output else f"{target.name} is banned no more.")


@dataclass(frozen=True, slots=True)
class _Opened:
    """The store, and what bans in it."""

    database: Database
    addresses: AddressBans
    revocation: Revocation

    async def ban(self, ban: Ban) -> None:
        reason = ban.reason or "by an operator"
        if ban.target.is_account:
            account = await find_person(self.database, ban.target.name)
            await self.revocation.ban(account, until=ban.until or _UNTIL_LIFTED, reason=reason)
        else:
            await self.addresses.ban(ban.target.name, until=ban.until, reason=reason)

    async def unban(self, target: Target) -> None:
        if not target.is_account:
            lifted = await self.addresses.unban(target.name)
        else:
            account = await find_person(self.database, target.name)
            lifted = account.banned(datetime.now(UTC))
            if lifted:
                await self.revocation.unban(account)
        if not lifted:
            message = f"{target.name} is not banned: `gateway ban --list` shows who is"
            raise NotFound(message)

    async def list(self) -> list[Ban]:
        now = datetime.now(UTC)
        async with self.database.read() as connection:
            accounts = [account for account in await list_accounts(connection) if account.banned(now)]
        people = [Ban(Target(one.email, is_account=True), _end_of(one), None) for one in accounts]
        addresses = await self.addresses.list()
        return [*people, *(Ban(Target(one.address, is_account=False), one.expires_at, one.reason) for one in addresses)]


def _end_of(account: Account) -> datetime | None:
    return None if account.banned_until == _UNTIL_LIFTED else account.banned_until


def _run(settings: Settings, work: Callable[[_Opened], Awaitable[_Result]]) -> _Result:
    def opened(database: Database) -> _Opened:
        # The running gateways read the log, and are rung for at the end.
        addresses = AddressBans(database, doorbell=ring_nobody)
        return _Opened(database, addresses, make_revocation(settings, database))

    return with_database(settings, lambda database: work(opened(database)))


def _line(one: Ban) -> str:
    until = "until it is lifted" if one.until is None else f"until {_moment(one.until)}"
    return f"{one.target.name:40} {until:32} {one.reason or ''}".rstrip()


def _shown(one: Ban) -> dict[str, Any]:
    return {
        "kind": "account" if one.target.is_account else "address",
        "name": one.target.name,
        "until": None if one.until is None else _moment(one.until),
        "reason": one.reason,
    }


def _moment(moment: datetime) -> str:
    return format_moment(moment.replace(microsecond=0))
