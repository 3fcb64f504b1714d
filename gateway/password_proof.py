"""Is this the password of that account?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import structlog

from gateway.audit.events import EventKind, record
from gateway.errors import Banned, EmailNotVerified, GatewayError, InvalidCredentials
from gateway.models import Account
from gateway.storage.accounts import find_account, find_account_by_email, rehash_password
from gateway.throttle.logins import Attempt

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.credentials.passwords import PasswordHashing
    from gateway.storage.database import Database
    from gateway.throttle.logins import LoginThrottle

_log = structlog.get_logger("gateway.security")

_Result = TypeVar("_Result")
Conclude = Callable[["AsyncConnection", Account], Awaitable[_Result]]


class PasswordProof:
    """The one way to try a password: throttled, at the same cost for known and unknown accounts (ASVS 6.3.8)."""

    def __init__(
        self,
        database: Database,
        *,
        throttle: LoginThrottle,
        passwords: PasswordHashing,
        unverified_email_allowed: bool,
    ) -> None:
        self._database = database
        self.throttle = throttle
        self.passwords = passwords
        self._unverified_email_allowed = unverified_email_allowed

    async def prove(self, attempt: Attempt, password: str, conclude: Conclude[_Result]) -> _Result:
        """Verify, and act upon the proof in the transaction that counts it.

        Raises `InvalidCredentials`, `TooManyAttempts`, `Banned`, `EmailNotVerified` or `Unavailable`; `conclude` runs
        for an active account only.
        """
        if attempt.carried is not None:
            async with self._database.read() as connection:
                # The same for an account that does not exist: whether a device is known says only what it knew before.
                attempt = attempt.at(await find_account_by_email(connection, attempt.name))
        try:
            async with self.throttle.turn(self._database, attempt):
                return await self._prove(attempt, password, conclude)
        except GatewayError as refusal:
            # One stable line, for fail2ban and CrowdSec. An account that does not exist is not told apart.
            _log.info("login_failed", client_address=attempt.client_address, email=attempt.name, reason=refusal.code)
            raise

    async def _prove(self, attempt: Attempt, password: str, conclude: Conclude[_Result]) -> _Result:
        async with self._database.read() as connection:
            found = await find_account_by_email(connection, attempt.name)
        matches = await self.passwords.verify(password, expected=found.password_hash if found else None)
        rehashed = await self._rehash(found, password) if found and matches else None
        async with self._database.write() as connection:
            # What was read before is read again: hashing took a while, and somebody may have stepped in.
            account = await find_account(connection, found.id) if found and matches else None
            proven = (
                account is not None
                and found is not None
                and account.password_hash == found.password_hash
                and not account.disabled
            )
            await self.throttle.settle(connection, attempt, proven=proven, now=datetime.now(UTC))
            refusal: GatewayError = InvalidCredentials()
            if account is not None and proven:
                unwelcome = self._refusal_of(account)
                if unwelcome is None:
                    return await conclude(connection, await _store(connection, account, rehashed))
                refusal = unwelcome
            await record(
                connection,
                EventKind.LOGIN,
                account=found,
                email=attempt.name,
                succeeded=False,
                client_address=attempt.client_address,
                reason=refusal.code,
            )
        if not proven:
            await self.throttle.count_failure_of(attempt)
        raise refusal

    async def _rehash(self, account: Account, password: str) -> str | None:
        """Hash a right password anew where the parameters rose since (ASVS 11.4.2).

        Not for a disabled account: nothing may tell it from one whose password was wrong, the time included.
        """
        if account.disabled or account.password_hash is None or not self.passwords.outdated(account.password_hash):
            return None
        return await self.passwords.hash(password)

    def _refusal_of(self, account: Account) -> GatewayError | None:
        """Give what only the owner of the right password may learn."""
        if account.banned(datetime.now(UTC)):
            return Banned()
        if not account.email_verified and not self._unverified_email_allowed:
            return EmailNotVerified()
        return None


async def _store(connection: AsyncConnection, account: Account, rehashed: str | None) -> Account:
    """Store the same password's new hash: no session ends, and nobody has to be told."""
    if rehashed is None or account.password_hash is None:
        return account
    await rehash_password(connection, account.id, proven_hash=account.password_hash, password_hash=rehashed)
    return replace(account, password_hash=rehashed)
