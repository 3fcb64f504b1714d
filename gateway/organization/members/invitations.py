"""Inviting people: all of them or nobody, and everything that is wrong is said at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.audit.events import EventKind, record
from gateway.errors import InvalidRows
from gateway.mail.outbox import MailKind
from gateway.models import Account, Principal
from gateway.organization.members.invitation_rows import Directory, Invitation, Places, repeated
from gateway.permissions import Permission, require_grantable
from gateway.revocation.askers import asker_within
from gateway.storage.accounts import create_account
from gateway.storage.groups import insert_member
from gateway.storage.members import Member
from gateway.storage.workspaces import insert_workspace_member

if TYPE_CHECKING:
    from gateway.mail.outbox import Outbox
    from gateway.organization.members.handed_passwords import HashedPassword, PasswordHandover
    from gateway.revocation import Revocation, Transaction
    from gateway.storage.database import Database

_NO_TRANSPORT = "No mail is sent here: choose a `mail.transport`, or hand the password over yourself."
Progress = Callable[[int], None]


def _tell_nobody(_done: int) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Invited:
    """A new member, and the password that was made for them: to be shown once."""

    member: Member
    password: str | None = field(repr=False)


class Invitations:
    """Add members in one transaction."""

    def __init__(
        self, database: Database, *, handover: PasswordHandover, revocation: Revocation, outbox: Outbox, login_url: str
    ) -> None:
        self._database = database
        self._handover = handover
        self._revocation = revocation
        self._outbox = outbox
        self._login_url = login_url
        # So do lists among themselves: a few dozen at once would keep every login waiting until it is given up.
        self._turn_of_lists = asyncio.Lock()

    async def invite(
        self, asker: Principal | None, invitations: Sequence[Invitation], *, progress: Progress = _tell_nobody
    ) -> list[Invited]:
        """Add everybody. Raises `PermissionDenied`, `TokenExpired`, or `InvalidRows` with all that is wrong.

        `progress` is told of each password that was hashed: that is what takes the time.
        """
        if problems := await self.problems(asker, invitations):
            raise InvalidRows(problems)
        passwords = await self._hash_all(invitations, progress)
        async with self._revocation.transaction() as transaction:
            # Hashing took a while: somebody may have come in meanwhile, and whoever asks may have lost what they had.
            asker = await asker_within(transaction, asker, Permission.MEMBERS_INVITE)
            _require_grantable(asker, invitations)
            directory = await Directory.read(transaction.connection, invitations)
            places = [directory.place(invitation, asker=asker) for invitation in invitations]
            if problems := _by_row([one.problems for one in places]):
                raise InvalidRows(problems)
            return [await self._add(transaction, *one) for one in zip(invitations, passwords, places, strict=True)]

    async def _hash_all(self, invitations: Sequence[Invitation], progress: Progress) -> list[HashedPassword]:
        passwords = []
        async with self._turn_of_lists if len(invitations) > 1 else nullcontext():
            for invitation in invitations:
                # One after another: logins wait in the same queue.
                passwords.append(await self._handover.hash(invitation.password))
                progress(len(passwords))
        return passwords

    async def problems(self, asker: Principal | None, invitations: Sequence[Invitation]) -> dict[int, dict[str, str]]:
        """Say by row and field what is wrong. Raises `PermissionDenied` for a role that is not the asker's to give."""
        _require_grantable(asker, invitations)
        async with self._database.read() as connection:
            directory = await Directory.read(connection, invitations)
        of_places = _by_row([directory.place(invitation, asker=asker).problems for invitation in invitations])
        of_rows = _by_row([await self._own_problems(invitation) for invitation in invitations])
        return _together(repeated(invitations), of_places, of_rows)

    async def _own_problems(self, invitation: Invitation) -> dict[str, str]:
        problems = {}
        if broken := await self._handover.broken_rule(invitation.password, email=invitation.email):
            problems["password"] = broken
        if invitation.send_mail and not self._outbox.enabled:
            problems["send_mail"] = _NO_TRANSPORT
        return problems

    async def _add(
        self, transaction: Transaction, invitation: Invitation, password: HashedPassword, places: Places
    ) -> Invited:
        connection, now = transaction.connection, transaction.now
        account = await create_account(
            connection,
            email=invitation.email,
            username=invitation.username,
            name=invitation.name,
            password_hash=password.hash,
            role=invitation.role,
            must_change_password=password.must_change,
            in_default_workspace=False,
            now=now,
        )
        await record(connection, EventKind.ACCOUNT_ADDED, account=account, role=invitation.role.value)
        for workspace_id, (_, role) in places.workspaces.items():
            await insert_workspace_member(connection, workspace_id, account.id, role=role, now=now)
        for group in places.groups.values():
            await insert_member(connection, group.id, account.id)
            await record(connection, EventKind.GROUP_CHANGED, account=account, group=group.name, change="member added")
        if invitation.send_mail:
            await self._post_letter(transaction, account, password.generated)
        transaction.log("account_added", account_id=account.id, role=invitation.role.value)
        return Invited(Member(account, tuple(places.workspaces)), password.generated)

    async def _post_letter(self, transaction: Transaction, account: Account, password: str | None) -> None:
        await self._outbox.post(
            transaction.connection,
            MailKind.INVITATION,
            to=account.email,
            now=transaction.now,
            name=account.name,
            email=account.email,
            link=self._login_url,
            password=password or "",
        )


def _require_grantable(asker: Principal | None, invitations: Sequence[Invitation]) -> None:
    for invitation in invitations:
        require_grantable(asker, invitation.role)


def _by_row(problems: Sequence[Mapping[str, str]]) -> dict[int, dict[str, str]]:
    return {number: dict(found) for number, found in enumerate(problems) if found}


def _together(*parts: dict[int, dict[str, str]]) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = {}
    for part in parts:
        for number, problems in part.items():
            # What was said first about a field stays: a row may be wrong in more than one way.
            found[number] = {**(before := found.get(number, {})), **problems, **before}
    return dict(sorted(found.items()))
