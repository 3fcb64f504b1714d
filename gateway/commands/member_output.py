"""Members as the command line shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gateway.commands.output import print_json, print_list

if TYPE_CHECKING:
    from gateway.models import Account
    from gateway.storage.members import Member


def print_member(member: Member, *, json_output: bool, password: str | None = None) -> None:
    shown = shown_member(member) if password is None else {**shown_member(member), "password": password}
    if json_output:
        print_json(shown)
        return
    for name, value in shown.items():
        click.echo(f"{name + ':':22}{_words(value)}")
    if password is not None:
        click.echo("Hand the password over now: it is not shown again.")


def print_members(members: list[Member], *, json_output: bool) -> None:
    print_list(members, json_output=json_output, as_object=shown_member, as_line=_line)


def _line(member: Member) -> str:
    account = member.account
    return f"{account.email:40} {account.role.value:21} {_state(account):10} {account.name}"


def shown_member(member: Member) -> dict[str, Any]:
    account = member.account
    return {
        "id": account.id,
        "email": account.email,
        "name": account.name,
        "username": account.username,
        "role": account.role.value,
        "state": _state(account),
        "must_change_password": account.must_change_password,
        "second_factor": account.has_second_factor,
        "workspace_ids": [*member.workspace_ids],
        "created_at": account.created_at.isoformat(timespec="seconds"),
    }


def _words(value: object) -> str:
    """Write a value for people, who know neither `None` nor `True`."""
    match value:
        case None | []:
            return "-"
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(map(str, value))
        case _:
            return str(value)


def _state(account: Account) -> str:
    return "disabled" if account.disabled else "active"
