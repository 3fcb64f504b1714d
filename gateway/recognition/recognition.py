"""A credential → the principal whose it is."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gateway.credentials.session_tokens import digest_token
from gateway.errors import (
    Banned,
    EmailNotVerified,
    InvalidApiKey,
    InvalidCredentials,
    SecondFactorRequired,
    TokenExpired,
    TooManyAttempts,
    Unavailable,
)
from gateway.facts.facts import Facts, password_from_subject, password_subject
from gateway.models import Account, CredentialKind, Principal
from gateway.recognition.facts_of import FactsOf
from gateway.storage.accounts import note_login
from gateway.storage.standing import find_standing
from gateway.throttle.address_limits import throttled_address
from gateway.throttle.logins import Attempt

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.api_keys import ApiKeys
    from gateway.credentials.access_tokens import AccessTokens
    from gateway.facts.cache import FactsCache, Load
    from gateway.password_proof import PasswordProof
    from gateway.sessions import Sessions


class Recognition:
    """Turn a session token, an access token or an API key into a principal, from the facts where they are known."""

    def __init__(  # noqa: PLR0913 - one argument for each kind of credential
        self,
        *,
        facts: FactsCache,
        sessions: Sessions,
        access_tokens: AccessTokens,
        api_keys: ApiKeys,
        proof: PasswordProof,
        facts_of: FactsOf,
    ) -> None:
        self._facts = facts
        self._sessions = sessions
        self._access_tokens = access_tokens
        self._api_keys = api_keys
        self._proof = proof
        self._facts_of = facts_of

    def names_us(self, token: str) -> bool:
        """Say whether a bearer token is recognisably ours, good or bad."""
        return self._access_tokens.are_issuer_of(token)

    def looks_like_api_key(self, text: str) -> bool:
        """Say whether a text is recognisably one of our API keys, good or bad."""
        return self._api_keys.claims(text)

    async def by_session_token(self, token: str) -> Principal | None:
        """Give the principal of a session that counts now."""

        async def load() -> Facts | None:
            known = await self._sessions.find_by_token(token)
            return None if known is None else self._facts_of.session(known)

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
            # A copy that was stolen when a password was enough must not become one of two factors with its session.
            facts = self._facts_of.session(known, CredentialKind.JWT, at_most=claims.level)
            facts.expires_at = min(facts.expires_at, claims.expires_at)
            return facts

        facts = await self._find(digest_token(token, key=self._access_tokens.key), load)
        if facts is None:
            raise TokenExpired
        return facts.principal

    async def by_api_key(self, key: str) -> Principal:
        """Give the principal of one of our API keys. Raises `InvalidApiKey`."""
        if not self._api_keys.is_sound(key):
            raise InvalidApiKey

        async def load() -> Facts | None:
            known = await self._api_keys.find(key)
            return None if known is None else self._facts_of.api_key(known)

        facts = await self._find(self._api_keys.digest(key), load)
        if facts is None:
            raise InvalidApiKey
        return facts.principal

    async def by_password(self, email: str, password: str, *, client_address: str | None) -> Principal:
        """Give the principal of an account by its password.

        Raises `InvalidCredentials`, `TooManyAttempts`, `Banned`, `EmailNotVerified` or `SecondFactorRequired`.

        Only a good one is remembered, for the age of a fact: a wrong one is tried, and counted, each time.
        """

        async def conclude(connection: AsyncConnection, account: Account) -> Facts | None:
            if account.has_second_factor:
                # A password alone is not enough for the form either (ASVS 6.4.3).
                raise SecondFactorRequired
            if account.logged_in_at is None:
                # Whoever uses an account so is no registration that was abandoned.
                await note_login(connection, account.id, now=datetime.now(UTC))
            standing = await find_standing(connection, account)
            return None if standing is None else self._facts_of.password(account, standing, address=known_from)

        async def load() -> Facts | None:
            return await self._proof.prove(Attempt(email, client_address), password, conclude)

        # NUL cannot be part of an address of either kind. What was proven from one address says nothing to another,
        # and after a failure nothing to anybody: who guesses must not learn the right password from the quick answer.
        known_from = throttled_address(client_address)
        try:
            facts = await self._find(self._sessions.digest(f"{known_from}\0{email}\0{password}"), load)
        except (InvalidCredentials, TooManyAttempts, Banned, EmailNotVerified, SecondFactorRequired):
            self._facts.apply(password_subject(email))
            raise
        except Unavailable:
            # Nobody counts guesses now, so only the first one from an address can be told from the right password.
            self._facts.apply(password_from_subject(email, known_from))
            raise
        if facts is None:
            raise InvalidCredentials
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
        if facts.principal.session_id is not None:
            self._sessions.last_use.touch(facts.principal.session_id, now)
        if facts.principal.api_key_id is not None:
            self._api_keys.last_use.touch(facts.principal.api_key_id, now)
        return facts
