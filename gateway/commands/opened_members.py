"""The members beside a running gateway, for the commands that manage them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from gateway.commands.store import make_outbox, make_revocation, with_database
from gateway.credentials.passwords import PasswordHashing
from gateway.organization.members.handed_passwords import PasswordHandover
from gateway.organization.members.invitations import Invitations
from gateway.organization.members.members import Members
from gateway.wiring.passwords import password_rules

if TYPE_CHECKING:
    from gateway.config.settings import Settings
    from gateway.storage.database import Database

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class OpenedMembers:
    members: Members
    invitations: Invitations


def with_members(settings: Settings, work: Callable[[OpenedMembers], Awaitable[_Result]]) -> _Result:
    async def run(database: Database) -> _Result:
        handover = PasswordHandover(rules=password_rules(settings), passwords=passwords)
        revocation = make_revocation(settings, database)
        invitations = Invitations(
            database,
            handover=handover,
            revocation=revocation,
            outbox=make_outbox(settings),
            login_url=f"{settings.public_url}/login",
        )
        return await work(OpenedMembers(Members(database, handover=handover, revocation=revocation), invitations))

    passwords = PasswordHashing(threads=1)
    try:
        return with_database(settings, run)
    finally:
        passwords.close()
