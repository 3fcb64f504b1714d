"""What no longer counts?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from gateway.errors import Conflict, TokenExpired
from gateway.facts.facts import account_subject, session_subject
from gateway.models import Account, OrganizationRole, Principal
from gateway.storage.accounts import count_active_admins, find_account, replace_password, set_disabled, set_password
from gateway.storage.invalidations import append_invalidation
from gateway.storage.sessions import delete_session, delete_sessions_of

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.storage.database import Database

_log = structlog.get_logger("gateway.security")

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
    """End sessions and accounts. Each change and its log entry are one transaction; the doorbell rings after it."""

    def __init__(self, database: Database, *, doorbell: Doorbell) -> None:
        self._database = database
        self._doorbell = doorbell

    async def end_session(self, session_id: str) -> None:
        """End a session and every token bound to it; ending it twice is one ending."""
        async with self.transaction() as transaction:
            if await delete_session(transaction.connection, session_id):
                await transaction.invalidate(session_subject(session_id))
        _log.info("session_ended", session_id=session_id)

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
            if current.role is OrganizationRole.ADMIN and await count_active_admins(transaction.connection) == 1:
                message = f"{account.email} is the last active Organization Admin: make another one first"
                raise Conflict(message)
            await set_disabled(transaction.connection, account.id, disabled=True, now=transaction.now)
            await self._end_sessions(transaction, account.id)
        _log.info("account_disabled", account_id=account.id)

    async def enable(self, account: Account) -> None:
        async with self.transaction() as transaction:
            await set_disabled(transaction.connection, account.id, disabled=False, now=transaction.now)
        _log.info("account_enabled", account_id=account.id)

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
            await self._end_sessions(transaction, account.id)
        _log.info("password_reset", account_id=account.id)

    @asynccontextmanager
    async def changing_password(
        self, account_id: str, *, proven_hash: str, password_hash: str, keep_session: str
    ) -> AsyncIterator[AsyncConnection]:
        """Set the person's own new password and end the other sessions; the body may add to the transaction.

        Raises `TokenExpired` when an administrator's reset or another change came in between.
        """
        async with self.transaction() as transaction:
            replaced = await replace_password(
                transaction.connection,
                account_id,
                proven_hash=proven_hash,
                password_hash=password_hash,
                now=transaction.now,
            )
            if not replaced:
                raise TokenExpired
            await self._end_sessions(transaction, account_id, keep=keep_session)
            yield transaction.connection
        _log.info("password_changed", account_id=account_id)

    async def _end_sessions(self, transaction: Transaction, account_id: str, *, keep: str | None = None) -> None:
        # One entry for the account covers all of its sessions, and the kept one is read anew.
        await delete_sessions_of(transaction.connection, account_id, keep=keep)
        await transaction.invalidate(account_subject(account_id))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Give a write transaction whose entries in the log are appended with it; their doorbell rings after it."""
        async with self._database.write() as connection:
            transaction = Transaction(connection, datetime.now(UTC))
            yield transaction
        for subject in transaction.subjects:
            self._doorbell(subject)
