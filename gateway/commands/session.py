"""`gateway session`: who is logged in, from the shell."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gateway.commands.arguments import as_json, parsed
from gateway.commands.output import plain_json
from gateway.commands.settings_options import settings_options, with_settings
from gateway.commands.store import find_person, make_revocation, with_database
from gateway.grammar.email import parse_email
from gateway.grammar.moments import format_moment
from gateway.grammar.user_agents import describe_device
from gateway.organization.members.sessions import MemberSessions
from gateway.storage.accounts import list_accounts
from gateway.storage.last_use import LastUse
from gateway.storage.sessions import StoredSession, touch_sessions

if TYPE_CHECKING:
    from gateway.config.loading import LoadedSettings
    from gateway.config.settings import Settings
    from gateway.storage.database import Database

_Result = TypeVar("_Result")


@click.group()
@settings_options
def session() -> None:
    """Say who is logged in, and end sessions. API keys are no sessions: `gateway key` has those.

    These commands work beside a running gateway: it acts on them within a second.
    """


@session.command(name="list")
@click.option("--email", callback=parsed(parse_email), help="Only this person's.")
@as_json
@with_settings
def list_sessions(loaded: LoadedSettings, *, email: str | None, json_output: bool) -> None:
    """List open sessions, the newest first; a running gateway writes their last use within a minute."""
    found = _run(loaded.settings, lambda opened: opened.list(email))
    if json_output:
        click.echo(plain_json([_object(stored, owner) for stored, owner in found], indent=2))
        return
    for stored, owner in found:
        seen = stored.session.last_seen_at.strftime("%Y-%m-%d %H:%M:%SZ")
        device, address = describe_device(stored.user_agent), stored.client_address or "-"
        click.echo(f"{stored.session.id}  {owner:32} {seen}  {address:15} {device}")


@session.command()
@click.argument("session_id", metavar="ID")
@as_json
@with_settings
def end(loaded: LoadedSettings, *, session_id: str, json_output: bool) -> None:
    """End one session, with every token of it."""
    _run(loaded.settings, lambda opened: opened.sessions.end(session_id))
    click.echo(json.dumps({"ended": 1}) if json_output else "Ended.")


@session.command(name="end-all")
@click.argument("email", required=False, callback=parsed(parse_email))
@click.option("--everybody", is_flag=True, help="End the sessions of everybody.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
@with_settings
def end_all(loaded: LoadedSettings, *, email: str | None, everybody: bool, yes: bool, json_output: bool) -> None:
    """End all sessions of a person, or of everybody, and the logins that wait for their second factor."""
    if everybody == (email is not None):
        message = "name a person, or give --everybody"
        raise click.UsageError(message)
    if not yes:
        click.confirm(f"End every session of {email or 'everybody'}?", abort=True, err=True)
    ended = _run(loaded.settings, lambda opened: opened.end_all(email))
    click.echo(json.dumps({"ended": ended}) if json_output else f"Sessions ended: {ended}.")


@dataclass(frozen=True, slots=True)
class _Opened:
    """The store, and the sessions in it."""

    database: Database
    sessions: MemberSessions

    async def list(self, email: str | None) -> list[tuple[StoredSession, str]]:
        """Give sessions and their owners' addresses."""
        if email is not None:
            return [(stored, email) for stored in await self.sessions.list_of(await self._id_of(email))]
        found = await self.sessions.list_everybodys()
        async with self.database.read() as connection:
            emails = {account.id: account.email for account in await list_accounts(connection)}
        # Whoever was removed in between has no sessions any more.
        return [(stored, emails[owner]) for stored in found if (owner := stored.session.account_id) in emails]

    async def end_all(self, email: str | None) -> int:
        if email is None:
            return await self.sessions.end_everybodys()
        return await self.sessions.end_all(await self._id_of(email))

    async def _id_of(self, email: str) -> str:
        return (await find_person(self.database, email)).id


def _run(settings: Settings, work: Callable[[_Opened], Awaitable[_Result]]) -> _Result:
    def opened(database: Database) -> _Opened:
        # Nothing is used here: the running gateways know of their own.
        last_use = LastUse(database, write=touch_sessions)
        revocation = make_revocation(settings, database)
        return _Opened(database, MemberSessions(database, last_use=last_use, revocation=revocation))

    return with_database(settings, lambda database: work(opened(database)))


def _object(stored: StoredSession, owner: str) -> dict[str, Any]:
    return {
        "id": stored.session.id,
        "email": owner,
        "device": describe_device(stored.user_agent),
        "user_agent": stored.user_agent,
        "client_address": stored.client_address,
        "created_at": format_moment(stored.session.created_at),
        "last_seen_at": format_moment(stored.session.last_seen_at),
    }
