"""Whose credential is this?"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gateway.credentials.session_tokens import digest_token
from gateway.errors import TokenExpired
from gateway.facts.facts import Facts, account_subject, session_subject
from gateway.models import CredentialKind, Principal

if TYPE_CHECKING:
    from gateway.credentials.access_tokens import AccessTokens
    from gateway.facts.cache import FactsCache, Load
    from gateway.sessions import KnownSession, Sessions


class Recognition:
    """Turn a session token or an access token into a principal, from the facts where they are known."""

    def __init__(
        self, *, facts: FactsCache, sessions: Sessions, access_tokens: AccessTokens, force_password_change: bool
    ) -> None:
        self._facts = facts
        self._sessions = sessions
        self._access_tokens = access_tokens
        self._force_password_change = force_password_change

    def names_us(self, token: str) -> bool:
        """Say whether a bearer token is recognisably ours, good or bad."""
        return self._access_tokens.are_issuer_of(token)

    async def by_session_token(self, token: str) -> Principal | None:
        """Give the principal of a session that counts now."""

        async def load() -> Facts | None:
            known = await self._sessions.find_by_token(token)
            return None if known is None else self._facts_of(known, CredentialKind.SESSION)

        facts = await self._find(self._sessions.digest(token), load)
        return None if facts is None else facts.principal

    async def by_access_token(self, token: str) -> Principal:
        """Give the principal of one of our access tokens. Raises `InvalidToken` or `TokenExpired`.

        Facts are kept by a digest of the token, but it ends with its session: revocation never looks at the token,
        of which other spellings might exist.
        """

        async def load() -> Facts | None:
            claims = self._access_tokens.verify(token, now=datetime.now(UTC))
            known = await self._sessions.find(claims.session_id)
            if known is None or known.account.id != claims.subject:
                return None
            facts = self._facts_of(known, CredentialKind.JWT)
            facts.expires_at = min(facts.expires_at, claims.expires_at)
            return facts

        facts = await self._find(digest_token(token, key=self._access_tokens.key), load)
        if facts is None:
            raise TokenExpired
        return facts.principal

    async def _find(self, digest: bytes, load: Load) -> Facts | None:
        now = time.time()
        facts = self._facts.find(digest) or await self._facts.fetch(digest, load)
        if facts is not None and facts.expired(now):
            # Another process may have seen the session used: only a refusal is ever read again.
            facts = await self._facts.fetch(digest, load, again=True)
        if facts is None:
            return None
        facts.used(now)
        self._sessions.touch(facts.principal.session_id, now)
        return facts

    def _facts_of(self, known: KnownSession, kind: CredentialKind) -> Facts:
        session, account, organization = known.session, known.account, known.organization
        return Facts(
            principal=Principal(
                account_id=account.id,
                email=account.email,
                username=account.username,
                name=account.name,
                role=account.role,
                organization=organization.display_name,
                workspace=organization.workspace_name,
                groups=(),
                credential=kind,
                session_id=session.id,
                level=session.level,
                must_change_password=account.must_change_password and self._force_password_change,
            ),
            subjects=(account_subject(account.id), session_subject(session.id)),
            expires_at=session.expires_at.timestamp(),
            idle_expires_at=session.idle_expires_at.timestamp(),
            idle_timeout=session.idle_timeout.total_seconds(),
        )
