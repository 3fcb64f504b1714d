"""A person's own new password."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.credentials.passwords import broken_password_rule
from gateway.errors import InvalidCredentials, InvalidFields, Unauthorized
from gateway.models import Account, Principal
from gateway.throttle import Attempt

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.credentials.passwords import PasswordHashing
    from gateway.password_proof import PasswordProof
    from gateway.revocation import Revocation
    from gateway.sessions import Sessions, Visitor


class PasswordChange:
    """Change a password: the current one is proven, this session goes on with a new token, the others end."""

    def __init__(
        self, *, proof: PasswordProof, passwords: PasswordHashing, sessions: Sessions, revocation: Revocation
    ) -> None:
        self._proof = proof
        self._passwords = passwords
        self._sessions = sessions
        self._revocation = revocation

    async def change(self, principal: Principal, *, current: str, new: str, visitor: Visitor) -> str:
        """Return the session's new token. Raises `InvalidFields`, `TooManyAttempts` or `TokenExpired`."""
        if principal.session_id is None:
            raise Unauthorized
        if broken := broken_password_rule(new):
            raise InvalidFields(fields={"newPassword": broken})
        if new == current:
            raise InvalidFields(fields={"newPassword": "Choose one that differs from the current password."})
        proven_hash = await self._prove(principal, current, visitor)
        changing = self._revocation.changing_password(
            principal.account_id,
            proven_hash=proven_hash,
            password_hash=await self._passwords.hash(new),
            keep_session=principal.session_id,
        )
        async with changing as connection:
            return await self._sessions.renew_token(connection, principal.session_id)

    async def _prove(self, principal: Principal, password: str, visitor: Visitor) -> str:
        async def proven_hash(_connection: AsyncConnection, account: Account) -> str:
            return account.password_hash or ""

        try:
            return await self._proof.prove(Attempt(principal.email, visitor.client_address), password, proven_hash)
        except InvalidCredentials as refusal:
            raise InvalidFields(fields={"currentPassword": "This is not your current password."}) from refusal
