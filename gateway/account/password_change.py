"""A person's own new password."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gateway.credentials.passwords import broken_password_rule
from gateway.errors import InvalidFields, Unauthorized
from gateway.models import Principal
from gateway.storage.accounts import find_account
from gateway.throttle import Attempt

if TYPE_CHECKING:
    from gateway.credentials.passwords import PasswordHashing
    from gateway.revocation import Revocation
    from gateway.sessions import Sessions, Visitor
    from gateway.storage.database import Database
    from gateway.throttle import LoginThrottle


class PasswordChange:
    """Change a password: the current one is proven, this session goes on with a new token, the others end."""

    def __init__(
        self,
        database: Database,
        *,
        throttle: LoginThrottle,
        passwords: PasswordHashing,
        sessions: Sessions,
        revocation: Revocation,
    ) -> None:
        self._database = database
        self._throttle = throttle
        self._passwords = passwords
        self._sessions = sessions
        self._revocation = revocation

    async def change(self, principal: Principal, *, current: str, new: str, visitor: Visitor) -> str:
        """Return the session's new token. Raises `InvalidFields`, `TooManyAttempts` or `TokenExpired`."""
        if broken := broken_password_rule(new):
            raise InvalidFields(fields={"newPassword": broken})
        if new == current:
            raise InvalidFields(fields={"newPassword": "Choose one that differs from the current password."})
        proven_hash = await self._prove(principal, current, visitor)
        password_hash = await self._passwords.hash(new)
        changing = self._revocation.changing_password(
            principal.account_id,
            proven_hash=proven_hash,
            password_hash=password_hash,
            keep_session=principal.session_id,
        )
        async with changing as connection:
            return await self._sessions.renew_token(connection, principal.session_id)

    async def _prove(self, principal: Principal, password: str, visitor: Visitor) -> str:
        attempt = Attempt(principal.email, visitor.client_address)
        async with self._database.read() as connection:
            await self._throttle.admit(connection, attempt, now=datetime.now(UTC))
            account = await find_account(connection, principal.account_id)
        if account is None or account.password_hash is None:
            raise Unauthorized
        proven = await self._passwords.verify(password, expected=account.password_hash)
        async with self._database.write() as connection:
            await self._throttle.settle(connection, attempt, proven=proven, now=datetime.now(UTC))
        if not proven:
            await self._throttle.count_failure_of(visitor.client_address)
            raise InvalidFields(fields={"currentPassword": "This is not your current password."})
        return account.password_hash
