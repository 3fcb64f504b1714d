"""Is this the password of that account?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import structlog

from gateway.errors import GatewayError, InvalidCredentials
from gateway.models import Account
from gateway.storage.accounts import find_account, find_account_by_email
from gateway.throttle import Attempt

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.credentials.passwords import PasswordHashing
    from gateway.storage.database import Database
    from gateway.throttle import LoginThrottle

_log = structlog.get_logger("gateway.security")

_Result = TypeVar("_Result")
Conclude = Callable[["AsyncConnection", Account], Awaitable[_Result]]


class PasswordProof:
    """The one way to try a password: throttled, at the same cost for known and unknown accounts (ASVS 6.3.8)."""

    def __init__(self, database: Database, *, throttle: LoginThrottle, passwords: PasswordHashing) -> None:
        self._database = database
        self._throttle = throttle
        self._passwords = passwords

    async def prove(self, attempt: Attempt, password: str, conclude: Conclude[_Result]) -> _Result:
        """Verify, and act upon the proof in the transaction that counts it.

        Raises `InvalidCredentials`, `TooManyAttempts` or `Unavailable`; `conclude` runs for an active account only.
        """
        try:
            return await self._prove(attempt, password, conclude)
        except GatewayError as refusal:
            # One stable line, for fail2ban and CrowdSec. An account that does not exist is not told apart.
            _log.info("login_failed", client_address=attempt.client_address, email=attempt.name, reason=refusal.code)
            raise

    async def _prove(self, attempt: Attempt, password: str, conclude: Conclude[_Result]) -> _Result:
        async with self._database.read() as connection:
            await self._throttle.admit(connection, attempt, now=datetime.now(UTC))
            found = await find_account_by_email(connection, attempt.name)
        matches = await self._passwords.verify(password, expected=found.password_hash if found else None)
        async with self._database.write() as connection:
            # What was read before is read again: hashing took a while, and somebody may have stepped in.
            account = await find_account(connection, found.id) if found and matches else None
            proven = account is not None and account == found and not account.disabled
            await self._throttle.settle(connection, attempt, proven=proven, now=datetime.now(UTC))
            if proven and account is not None:
                return await conclude(connection, account)
        await self._throttle.count_failure_of(attempt.client_address)
        raise InvalidCredentials
