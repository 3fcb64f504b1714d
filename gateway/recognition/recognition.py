"""A credential → the principal whose it is."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

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
from gateway.models import Account, Principal
from gateway.recognition.at_once import RecognitionAtOnce
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
        self.at_once = RecognitionAtOnce(
            facts=facts, sessions=sessions, access_tokens=access_tokens, api_keys=api_keys, facts_of=facts_of
        )
        self._fingerprints = self.at_once.fingerprints

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

        facts = await self._find(self._fingerprints.session(as_sent(token)), load)
        return None if facts is None else facts.principal

    async def by_access_token(self, token: str) -> Principal:
        """Give the principal of one of our access tokens. Raises `InvalidToken` or `TokenExpired`.

        Facts are kept by a fingerprint of the token, but it ends with its session: revocation never looks at the token,
        of which other spellings might exist.
        """

        async def load() -> Facts | None:
            claims = self._access_tokens.verify(token, now=datetime.now(UTC))
            known = await self._sessions.find(claims.session_id)
            return None if known is None else self._facts_of.access_token(known, claims)

        facts = await self._find(self._fingerprints.access_token(as_sent(token)), load)
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

        facts = await self._find(self._fingerprints.api_key(as_sent(key)), load)
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
        fingerprint = self._fingerprints.password(as_sent(f"{known_from}\0{email}\0{password}"))
        try:
            facts = await self._find(fingerprint, load)
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

    async def _find(self, fingerprint: bytes, load: Load) -> Facts | None:
        now = time.time()
        facts = self._facts.find(fingerprint) or await self._facts.fetch(fingerprint, load)
        if facts is not None and facts.expired(now):
            # Another process may have seen the session used: only a refusal is ever read again.
            facts = await self._facts.fetch(fingerprint, load, again=True)
        if facts is None:
            return None
        self.at_once.note_use(facts, now)
        return facts


def as_sent(text: str) -> bytes:
    """Give the bytes that a header's text was read from."""
    return text.encode("utf-8", "surrogateescape")
