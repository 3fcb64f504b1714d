"""The members: shown, changed, removed. The last active Organization Admin is never lost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.errors import InvalidFields, NotFound, PermissionDenied
from gateway.models import Account, OrganizationRole, Principal
from gateway.organization.accounts import require_account
from gateway.permissions import Permission, require_grantable
from gateway.revocation.accounts import change_role, disable, enable, remove, rename
from gateway.revocation.askers import asker_within
from gateway.storage.members import Member, find_member, list_members

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.organization.members.handed_passwords import HandedPassword, HashedPassword, PasswordHandover
    from gateway.revocation import Revocation, Transaction
    from gateway.storage.database import Database


@dataclass(frozen=True, slots=True)
class MemberChange:
    """What is to be different; `None` leaves it as it is."""

    role: OrganizationRole | None = None
    full_name: str | None = None
    disabled: bool | None = None
    password: HandedPassword | None = None


@dataclass(frozen=True, slots=True)
class ChangedMember:
    """A member after a change, and the password that was made for them: to be shown once."""

    member: Member
    password: str | None = field(repr=False)


class Members:
    """Each change is one transaction with its audit events; `asker`: `None` is an operator at the shell."""

    def __init__(self, database: Database, *, handover: PasswordHandover, revocation: Revocation) -> None:
        self._database = database
        self._handover = handover
        self._revocation = revocation

    async def list(self) -> list[Member]:
        """List everybody, by e-mail address."""
        async with self._database.read() as connection:
            return await list_members(connection)

    async def find(self, member_id: str) -> Member:
        """Raise `NotFound` for somebody who is not there."""
        async with self._database.read() as connection:
            return await _require_member(connection, member_id)

    async def find_by_email(self, email: str) -> Member:
        """Find by canonical e-mail address. Raises `NotFound`."""
        async with self._database.read() as connection:
            return await _require_member(connection, (await require_account(connection, email)).id)

    async def change(self, asker: Principal | None, member_id: str, change: MemberChange) -> ChangedMember:
        """Change somebody: everything or nothing.

        Raises `NotFound`, `PermissionDenied`, `TokenExpired`, `InvalidFields`, or `Conflict` for the last active
        Organization Admin.
        """
        if change.role is not None:
            require_grantable(asker, change.role)
        password = await self._hash(asker, member_id, change.password)
        async with self._revocation.transaction() as transaction:
            asker = await asker_within(transaction, asker, Permission.MEMBERS_MANAGE)
            account = (await _require_member(transaction.connection, member_id)).account
            # Nobody changes somebody who may do more than they.
            require_grantable(asker, account.role)
            await self._apply(transaction, account, change, password)
            changed = await _require_member(transaction.connection, member_id)
        return ChangedMember(changed, password.generated if password else None)

    async def remove(self, asker: Principal | None, member_id: str) -> Account:
        """Remove somebody and all that is theirs. Raises `NotFound`, `PermissionDenied` or `Conflict`."""
        async with self._revocation.transaction() as transaction:
            account = (await _require_member(transaction.connection, member_id)).account
            require_grantable(asker, account.role)
            await remove(transaction, account)
        return account

    async def remove_second_factor(self, asker: Principal | None, member_id: str) -> Member:
        """Take away the factor of somebody who lost it. Raises `NotFound` or `PermissionDenied`."""
        member = await self.find(member_id)
        require_grantable(asker, member.account.role)
        _require_somebody_else(asker, member_id, "a code of your second factor")
        if not await self._revocation.remove_second_factor(member.account):
            message = f"{member.account.email} has no second factor"
            raise NotFound(message)
        return await self.find(member_id)

    async def _hash(
        self, asker: Principal | None, member_id: str, handed: HandedPassword | None
    ) -> HashedPassword | None:
        if handed is None:
            return None
        _require_somebody_else(asker, member_id, "your current password")
        member = await self.find(member_id)
        if broken := await self._handover.broken_rule(handed, email=member.account.email):
            raise InvalidFields(fields={"password": broken})
        return await self._handover.hash(handed)

    async def _apply(
        self, transaction: Transaction, account: Account, change: MemberChange, password: HashedPassword | None
    ) -> None:
        if change.full_name is not None:
            await rename(transaction, account, change.full_name)
        if change.role is not None:
            await change_role(transaction, account, change.role)
        if password is not None:
            await self._revocation.hand_over_password_within(
                transaction, account, password_hash=password.hash, must_change=password.must_change
            )
        if change.disabled is not None:
            await (disable if change.disabled else enable)(transaction, account)


async def _require_member(connection: AsyncConnection, member_id: str) -> Member:
    member = await find_member(connection, member_id)
    if member is None:
        message = "There is no such member."
        raise NotFound(message)
    return member


def _require_somebody_else(asker: Principal | None, member_id: str, proof: str) -> None:
    """Raise `PermissionDenied` where a stolen access token would be enough to take an account over for good."""
    if asker is not None and asker.account_id == member_id:
        message = f"Of your own account this takes {proof}: change it there."
        raise PermissionDenied(message)
