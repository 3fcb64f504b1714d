"""`gateway user`: people, from the shell."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gateway.commands.arguments import as_json, email_argument, parsed
from gateway.commands.event_loop import run_async
from gateway.commands.settings_options import settings_options, with_settings
from gateway.commands.store import make_revocation, open_database
from gateway.credentials.passwords import PasswordHashing
from gateway.errors import InvalidFields
from gateway.grammar.email import parse_email
from gateway.grammar.names import parse_name
from gateway.log_output import configure_logs
from gateway.models import Account, OrganizationRole
from gateway.organization.members import Members
from gateway.revocation import Revocation
from gateway.wiring.parts import password_rules

if TYPE_CHECKING:
    from gateway.config.loading import LoadedSettings
    from gateway.config.settings import Settings

_Result = TypeVar("_Result")

password_stdin = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input; it need not be changed then."
)


@click.group()
@settings_options
def user() -> None:
    """Add, list, disable people, and reset their passwords.

    These commands work beside a running gateway: it acts on them within a second.
    """


@user.command()
@click.option("--email", required=True, callback=parsed(parse_email))
@click.option("--name", required=True, callback=parsed(parse_name))
@click.option("--admin", is_flag=True, help="Give the role Organization Admin.")
@password_stdin
@as_json
@with_settings
def add(  # noqa: PLR0913 - one argument per option
    loaded: LoadedSettings, *, email: str, name: str, admin: bool, password_stdin: bool, json_output: bool
) -> None:
    """Add a person. Without --password-stdin a password is made and printed once, to be changed at the first login."""
    role = OrganizationRole.ADMIN if admin else OrganizationRole.USER
    password = _read_password() if password_stdin else None
    account, generated = _run(
        loaded.settings, lambda members, _: members.add(email=email, name=name, role=role, password=password)
    )
    _print(account, json_output=json_output, password=generated)


@user.command(name="list")
@as_json
@with_settings
def list_people(loaded: LoadedSettings, *, json_output: bool) -> None:
    """List everybody."""
    accounts = _run(loaded.settings, lambda members, _: members.list())
    if json_output:
        click.echo(json.dumps([_shown(account) for account in accounts], ensure_ascii=False, indent=2))
        return
    for account in accounts:
        click.echo(f"{account.email:40} {account.role.value:20} {_state(account):10} {account.name}")


@user.command()
@email_argument
@as_json
@with_settings
def show(loaded: LoadedSettings, *, email: str, json_output: bool) -> None:
    """Show one person."""
    account = _run(loaded.settings, lambda members, _: members.find(email))
    _print(account, json_output=json_output)


@user.command()
@email_argument
@as_json
@with_settings
def disable(loaded: LoadedSettings, *, email: str, json_output: bool) -> None:
    """Disable a person: every session ends, no login is possible until `enable`."""

    async def work(members: Members, revocation: Revocation) -> Account:
        await revocation.disable(await members.find(email))
        return await members.find(email)

    _print(_run(loaded.settings, work), json_output=json_output)


@user.command()
@email_argument
@as_json
@with_settings
def enable(loaded: LoadedSettings, *, email: str, json_output: bool) -> None:
    """Let a disabled person log in again; the ended sessions stay ended."""

    async def work(members: Members, revocation: Revocation) -> Account:
        await revocation.enable(await members.find(email))
        return await members.find(email)

    _print(_run(loaded.settings, work), json_output=json_output)


@user.command(name="reset-password")
@email_argument
@password_stdin
@as_json
@with_settings
def reset_password(loaded: LoadedSettings, *, email: str, password_stdin: bool, json_output: bool) -> None:
    """Give a person a new password and end every session. Without --password-stdin it is made and printed once."""
    password = _read_password() if password_stdin else None

    async def work(members: Members, _revocation: Revocation) -> tuple[Account, str | None]:
        account = await members.find(email)
        generated = await members.reset_password(account, password=password)
        return await members.find(email), generated

    account, generated = _run(loaded.settings, work)
    _print(account, json_output=json_output, password=generated)


@user.command(name="remove-second-factor")
@email_argument
@as_json
@with_settings
def remove_second_factor(loaded: LoadedSettings, *, email: str, json_output: bool) -> None:
    """Take away the second factor of somebody who lost app and recovery codes; every session ends.

    Make sure that it is them who ask: their password alone opens the account then.
    """

    async def work(members: Members, revocation: Revocation) -> Account:
        if not await revocation.remove_second_factor(await members.find(email)):
            message = f"{email} has no second factor"
            raise click.ClickException(message)
        return await members.find(email)

    _print(_run(loaded.settings, work), json_output=json_output)


def _run(settings: Settings, work: Callable[[Members, Revocation], Awaitable[_Result]]) -> _Result:
    async def run() -> _Result:
        async with _opened(settings) as (members, revocation):
            return await work(members, revocation)

    configure_logs(settings.log)
    return run_async(run())


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[tuple[Members, Revocation]]:
    passwords = PasswordHashing(threads=1)
    async with open_database(settings) as database:
        revocation = make_revocation(settings, database)
        try:
            rules = password_rules(settings)
            yield Members(database, rules=rules, passwords=passwords, revocation=revocation), revocation
        except InvalidFields as refusal:
            raise click.ClickException(" ".join(refusal.fields.values())) from refusal
        finally:
            passwords.close()


def _read_password() -> str:
    """Read one line: the line end that `echo` adds is no part of the password."""
    return sys.stdin.readline().removesuffix("\n").removesuffix("\r")


def _print(account: Account, *, json_output: bool, password: str | None = None) -> None:
    shown = _shown(account) if password is None else {**_shown(account), "password": password}
    if json_output:
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
        return
    for name, value in shown.items():
        click.echo(f"{name + ':':22}{value}")
    if password is not None:
        click.echo("Hand the password over now: it is not shown again.")


def _shown(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "email": account.email,
        "name": account.name,
        "role": account.role.value,
        "state": _state(account),
        "must_change_password": account.must_change_password,
        "second_factor": account.has_second_factor,
        "created_at": account.created_at.isoformat(timespec="seconds"),
    }


def _state(account: Account) -> str:
    return "disabled" if account.disabled else "active"
