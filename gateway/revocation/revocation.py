"""The changes after which a session, a password or a second factor no longer counts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from gateway.audit.events import EventKind, record
from gateway.errors import TokenExpired
from gateway.facts.facts import session_subject
from gateway.mail.outbox import MailKind
from gateway.models import Account, Principal
from gateway.revocation import accounts
from gateway.revocation.transaction import Doorbell, Transaction, begin
from gateway.storage.accounts import find_account, replace_password, set_password, set_second_factor_since
from gateway.storage.one_time_tokens import delete_one_time_tokens
from gateway.storage.second_factors import delete_second_factor
from gateway.storage.sessions import delete_session

if TYPE_CHECKING:
    from gateway.mail.outbox import Outbox
    from gateway.storage.database import Database

# The purpose of a mailed reset link.
PASSWORD_RESET = "password reset"  # noqa: S105 - a purpose, no password


class Revocation:
    """End sessions and accounts. Each change, its audit event and its log entry are one transaction.

    The doorbell rings after it, and so do letters to whom it concerns.
    """

    def __init__(self, database: Database, *, doorbell: Doorbell, outbox: Outbox) -> None:
        self._database = database
        self._doorbell = doorbell
        self._outbox = outbox

    async def end_session(self, session_id: str, *, reason: str = "logout") -> None:
        """End a session and every token bound to it; ending it twice is one ending."""
        async with self.transaction() as transaction:
            if await self.end_session_within(transaction, session_id, reason=reason) is not None:
                transaction.log("session_ended", session_id=session_id, reason=reason)

    async def end_session_within(self, transaction: Transaction, session_id: str, *, reason: str) -> Account | None:
        """End a session inside a transaction begun here; gives the account whose it was, if it was there."""
        ended = await delete_session(transaction.connection, session_id)
        if ended is None:
            return None
        account = await find_account(transaction.connection, ended)
        await record(
            transaction.connection, EventKind.SESSION_ENDED, account=account, session_id=session_id, reason=reason
        )
        await transaction.invalidate(session_subject(session_id))
        return account

    async def end_session_of(self, principal: Principal | None) -> None:
        """End the session behind a principal, if there is one."""
        if principal is not None and principal.session_id is not None:
            await self.end_session(principal.session_id)

    async def ban(self, account: Account, *, until: datetime, reason: str) -> None:
        """Ban an account and end its sessions. Raises `Conflict` for the last active Organization Admin."""
        async with self.transaction() as transaction:
            await accounts.ban(transaction, account, until=until, reason=reason)

    async def unban(self, account: Account) -> None:
        async with self.transaction() as transaction:
            await accounts.unban(transaction, account)

    async def hand_over_password_within(
        self, transaction: Transaction, account: Account, *, password_hash: str, must_change: bool
    ) -> None:
        """Set a password that somebody else chose; every session of the account ends."""
        await set_password(
            transaction.connection,
            account.id,
            password_hash=password_hash,
            must_change=must_change,
            now=transaction.now,
        )
        await record(transaction.connection, EventKind.PASSWORD_HANDED_OVER, account=account)
        await self._password_was_changed(transaction, account)
        transaction.log("password_reset", account_id=account.id)

    @asynccontextmanager
    async def changing_password(
        self, account: Account, *, password_hash: str, keep_session: str
    ) -> AsyncIterator[Transaction]:
        """Set the person's own new password and end the other sessions; the body may add to the transaction.

        `account` is as it was when its password was proven. Raises `TokenExpired` when an administrator's reset or
        another change came in between.
        """
        async with self.transaction() as transaction:
            replaced = await replace_password(
                transaction.connection,
                account.id,
                proven_hash=account.password_hash or "",
                password_hash=password_hash,
                now=transaction.now,
            )
            if not replaced:
                raise TokenExpired
            await record(transaction.connection, EventKind.PASSWORD_CHANGED, account=account)
            await self._password_was_changed(transaction, account, keep=keep_session)
            yield transaction
            transaction.log("password_changed", account_id=account.id)

    async def reset_password(self, transaction: Transaction, account: Account, *, password_hash: str) -> None:
        """Set the password of whoever had the mailed link; every session ends. The second factor stays in force."""
        await set_password(
            transaction.connection, account.id, password_hash=password_hash, must_change=False, now=transaction.now
        )
        await record(transaction.connection, EventKind.PASSWORD_RESET, account=account)
        await self._password_was_changed(transaction, account)

    async def remove_second_factor(self, account: Account) -> bool:
        """Take away the factor of somebody who lost it, and end their sessions; says whether there was one."""
        async with self.transaction() as transaction:
            if not await delete_second_factor(transaction.connection, account.id):
                return False
            await set_second_factor_since(transaction.connection, account.id, None)
            kind, change = EventKind.SECOND_FACTOR_DISABLED, "Two-factor authentication was reset by an administrator."
            await self.second_factor_changed(transaction, account, kind, change=change, keep_session=None)
            transaction.log("second_factor_removed", account_id=account.id)
        return True

    async def second_factor_changed(
        self, transaction: Transaction, account: Account, kind: EventKind, *, change: str, keep_session: str | None
    ) -> None:
        """Audit a change of the second factor, tell its owner, and end the other sessions (ASVS 7.4.3)."""
        await self.recovery_codes_changed(transaction, account, kind, change=change)
        await self.end_logins(transaction, account.id, keep=keep_session)

    async def recovery_codes_changed(
        self, transaction: Transaction, account: Account, kind: EventKind, *, change: str
    ) -> None:
        """Audit it and tell the owner; what was logged in before stays so."""
        await record(transaction.connection, kind, account=account)
        await self._outbox.post(
            transaction.connection,
            MailKind.SECOND_FACTOR_CHANGED,
            to=account.email,
            now=transaction.now,
            name=account.name,
            change=change,
        )

    async def end_logins(self, transaction: Transaction, account_id: str, *, keep: str | None = None) -> list[str]:
        """End sessions and half-finished logins of an account, but for the one session to keep; gives their ids."""
        return await accounts.end_logins(transaction, account_id, keep=keep)

    async def _password_was_changed(
        self, transaction: Transaction, account: Account, *, keep: str | None = None
    ) -> None:
        # A reset link asked for earlier was for the old password.
        await delete_one_time_tokens(transaction.connection, purpose=PASSWORD_RESET, account_id=account.id)
        await self._outbox.post(
            transaction.connection, MailKind.PASSWORD_CHANGED, to=account.email, now=transaction.now, name=account.name
        )
        await self.end_logins(transaction, account.id, keep=keep)

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Begin a write transaction whose entries in the log are appended with it; their doorbell rings after it."""
        return begin(self._database, doorbell=self._doorbell)
