"""What no longer counts?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from gateway.audit.events import EventKind, record
from gateway.errors import Conflict, TokenExpired
from gateway.facts.facts import account_subject, session_subject
from gateway.mail.outbox import MailKind
from gateway.models import Account, Principal
from gateway.storage.accounts import (
    find_account,
    is_last_active_admin,
    replace_password,
    set_banned,
    set_disabled,
    set_password,
    set_second_factor_since,
)
from gateway.storage.challenges import delete_challenges_of
from gateway.storage.invalidations import append_invalidation
from gateway.storage.one_time_tokens import delete_one_time_tokens
from gateway.storage.second_factors import delete_second_factor
from gateway.storage.sessions import delete_session, delete_sessions_of

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.mail.outbox import Outbox
    from gateway.storage.database import Database

_log = structlog.get_logger("gateway.security")

# The purpose of a mailed reset link.
PASSWORD_RESET = "password reset"  # noqa: S105 - a purpose, no password

Doorbell = Callable[[str], None]


def ring_nobody(_subject: str) -> None:
    """Take the doorbell's place in a process without facts (the command line): the log alone tells the others."""


@dataclass(slots=True)
class Transaction:
    """One write transaction and the subjects that it invalidates."""

    connection: AsyncConnection
    now: datetime
    subjects: list[str] = field(default_factory=list)

    async def invalidate(self, subject: str) -> None:
        await append_invalidation(self.connection, subject, now=self.now)
        self.subjects.append(subject)


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
            ended = await self.end_session_within(transaction, session_id, reason=reason)
        if ended is not None:
            _log.info("session_ended", session_id=session_id, reason=reason)

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

    async def disable(self, account: Account) -> None:
        """Disable an account and end its sessions. Raises `Conflict` for the last active Organization Admin."""
        async with self.transaction() as transaction:
            current = await find_account(transaction.connection, account.id)
            if current is None or current.disabled:
                return
            await _require_another_admin(transaction, current)
            await set_disabled(transaction.connection, account.id, disabled=True, now=transaction.now)
            await record(transaction.connection, EventKind.ACCOUNT_DISABLED, account=account)
            await self.end_logins(transaction, account.id)
        _log.info("account_disabled", account_id=account.id)

    async def enable(self, account: Account) -> None:
        async with self.transaction() as transaction:
            await set_disabled(transaction.connection, account.id, disabled=False, now=transaction.now)
            await record(transaction.connection, EventKind.ACCOUNT_ENABLED, account=account)
        _log.info("account_enabled", account_id=account.id)

    async def ban(self, account: Account, *, until: datetime, reason: str) -> None:
        """Ban an account and end its sessions. Raises `Conflict` for the last active Organization Admin."""
        async with self.transaction() as transaction:
            await _require_another_admin(transaction, account)
            await set_banned(transaction.connection, account.id, until=until)
            await record(
                transaction.connection,
                EventKind.ACCOUNT_BANNED,
                account=account,
                until=until.isoformat(timespec="seconds"),
                reason=reason,
            )
            await self.end_logins(transaction, account.id)
        _log.info("account_banned", account_id=account.id)

    async def unban(self, account: Account) -> None:
        async with self.transaction() as transaction:
            await set_banned(transaction.connection, account.id, until=None)
            await record(transaction.connection, EventKind.ACCOUNT_UNBANNED, account=account)
            await transaction.invalidate(account_subject(account.id))
        _log.info("account_unbanned", account_id=account.id)

    async def hand_over_password(self, account: Account, *, password_hash: str, must_change: bool) -> None:
        """Set a password that somebody else chose; every session of the account ends."""
        async with self.transaction() as transaction:
            await set_password(
                transaction.connection,
                account.id,
                password_hash=password_hash,
                must_change=must_change,
                now=transaction.now,
            )
            await record(transaction.connection, EventKind.PASSWORD_HANDED_OVER, account=account)
            await self._password_was_changed(transaction, account)
        _log.info("password_reset", account_id=account.id)

    @asynccontextmanager
    async def changing_password(
        self, account: Account, *, password_hash: str, keep_session: str
    ) -> AsyncIterator[AsyncConnection]:
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
            yield transaction.connection
        _log.info("password_changed", account_id=account.id)

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
        _log.info("second_factor_removed", account_id=account.id)
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
        # One entry for the account covers all of its sessions, and the kept one is read anew.
        ended = await delete_sessions_of(transaction.connection, account_id, keep=keep)
        await delete_challenges_of(transaction.connection, account_id)
        await transaction.invalidate(account_subject(account_id))
        return ended

    async def _password_was_changed(
        self, transaction: Transaction, account: Account, *, keep: str | None = None
    ) -> None:
        # A reset link asked for earlier was for the old password.
        await delete_one_time_tokens(transaction.connection, purpose=PASSWORD_RESET, account_id=account.id)
        await self._outbox.post(
            transaction.connection, MailKind.PASSWORD_CHANGED, to=account.email, now=transaction.now, name=account.name
        )
        await self.end_logins(transaction, account.id, keep=keep)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Give a write transaction whose entries in the log are appended with it; their doorbell rings after it."""
        async with self._database.write() as connection:
            transaction = Transaction(connection, datetime.now(UTC))
            yield transaction
        for subject in transaction.subjects:
            self._doorbell(subject)


async def _require_another_admin(transaction: Transaction, account: Account) -> None:
    """Raise `Conflict` for the last active Organization Admin: nobody could let anybody in again."""
    if await is_last_active_admin(transaction.connection, account.id, now=transaction.now):
        message = f"{account.email} is the last active Organization Admin: make another one first"
        raise Conflict(message)
