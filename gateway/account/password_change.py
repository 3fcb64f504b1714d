"""A person's own new password."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from gateway.credentials.passwords import canonical_password
from gateway.errors import InvalidCredentials, InvalidFields, TokenExpired, Unauthorized
from gateway.models import Account, Principal
from gateway.revocation.accounts import rename
from gateway.sessions import LoggedIn
from gateway.throttle.logins import attempt_of

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.credentials.password_rules import PasswordRules
    from gateway.credentials.passwords import PasswordHashing
    from gateway.password_proof import PasswordProof
    from gateway.refresh_tokens import RefreshTokens
    from gateway.revocation import Revocation
    from gateway.sessions import Sessions, Visitor


class PasswordChange:
    """Change a password: the current one is proven, this session goes on with a new token, the others end."""

    def __init__(  # noqa: PLR0913 - one argument for each part that a new password concerns
        self,
        *,
        proof: PasswordProof,
        rules: PasswordRules,
        passwords: PasswordHashing,
        sessions: Sessions,
        refresh_tokens: RefreshTokens,
        revocation: Revocation,
    ) -> None:
        self._proof = proof
        self._rules = rules
        self._passwords = passwords
        self._sessions = sessions
        self._refresh_tokens = refresh_tokens
        self._revocation = revocation

    async def change(
        self, principal: Principal, *, current: str, new: str, visitor: Visitor, name: str | None = None
    ) -> LoggedIn:
        """Return the session with its new tokens. Raises `InvalidFields`, `TooManyAttempts` or `TokenExpired`.

        A new `name` is given in the same transaction.
        """
        if principal.session_id is None:
            raise Unauthorized
        if broken := await self._passwords.broken_rule(self._rules, new, email=principal.email):
            raise InvalidFields(fields={"newPassword": broken})
        if canonical_password(new) == canonical_password(current):
            raise InvalidFields(fields={"newPassword": "Choose one that differs from the current password."})
        account = await self._prove(principal, current, visitor)
        changing = self._revocation.changing_password(
            account,
            password_hash=await self._passwords.hash(new),
            keep_session=principal.session_id,
        )
        async with changing as transaction:
            if name is not None:
                await rename(transaction, account, name)
            return await self._go_on(transaction.connection, principal.session_id, visitor=visitor, now=transaction.now)

    async def _go_on(
        self, connection: AsyncConnection, session_id: str, *, visitor: Visitor, now: datetime
    ) -> LoggedIn:
        token = await self._sessions.renew_token(connection, session_id)
        known = await self._sessions.find_within(connection, session_id)
        if known is None:
            raise TokenExpired
        # The old one dies with the password (ASVS 10.4.9); who had one goes on refreshing.
        refresh_token = await self._refresh_tokens.reissue(connection, known.session, now=now)
        device = visitor.device and visitor.device.remember(known.account.known_as)
        return LoggedIn(known.account, known.session, token, refresh_token, device=device)

    async def _prove(self, principal: Principal, password: str, visitor: Visitor) -> Account:
        async def as_it_is(_connection: AsyncConnection, account: Account) -> Account:
            return account

        try:
            return await self._proof.prove(attempt_of(visitor, principal.email), password, as_it_is)
        except InvalidCredentials as refusal:
            raise InvalidFields(fields={"currentPassword": "This is not your current password."}) from refusal
