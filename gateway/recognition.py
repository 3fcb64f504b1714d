"""Whose credential is this?"""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypedDict

from gateway.credentials.session_tokens import digest_token
from gateway.errors import (
    Banned,
    EmailNotVerified,
    InvalidApiKey,
    InvalidCredentials,
    SecondFactorRequired,
    TokenExpired,
    TooManyAttempts,
)
from gateway.facts.facts import (
    Facts,
    account_subject,
    address_subject,
    api_key_subject,
    password_subject,
    session_subject,
)
from gateway.models import Account, CredentialKind, Organization, OrganizationRole, Principal
from gateway.storage.accounts import note_login
from gateway.storage.groups import list_groups_of
from gateway.storage.organizations import find_organization
from gateway.throttle.address_limits import throttled_address
from gateway.throttle.logins import Attempt

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.api_keys import ApiKeys, KnownApiKey
    from gateway.credentials.access_tokens import AccessTokens
    from gateway.facts.cache import FactsCache, Load
    from gateway.password_proof import PasswordProof
    from gateway.sessions import KnownSession, Sessions

# Basic never satisfies a second factor.
_LEVEL_OF_A_PASSWORD = 1


class Recognition:
    """Turn a session token, an access token or an API key into a principal, from the facts where they are known."""

    def __init__(  # noqa: PLR0913 - one argument for each kind of credential and each thing said about them
        self,
        *,
        facts: FactsCache,
        sessions: Sessions,
        access_tokens: AccessTokens,
        api_keys: ApiKeys,
        api_key_level: int,
        proof: PasswordProof,
        force_password_change: bool,
    ) -> None:
        self._facts = facts
        self._sessions = sessions
        self._access_tokens = access_tokens
        self._api_keys = api_keys
        self._api_key_level = api_key_level
        self._proof = proof
        self._force_password_change = force_password_change

    def names_us(self, token: str) -> bool:
        """Say whether a bearer token is recognisably ours, good or bad."""
        return self._access_tokens.are_issuer_of(token)

    def looks_like_api_key(self, text: str) -> bool:
        """Say whether a text is recognisably one of our API keys, good or bad."""
        return self._api_keys.format.claims(text)

    async def by_session_token(self, token: str) -> Principal | None:
        """Give the principal of a session that counts now."""

        async def load() -> Facts | None:
            known = await self._sessions.find_by_token(token)
            return None if known is None else self._facts_of(known, CredentialKind.SESSION, level=known.session.level)

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
            facts = self._facts_of(known, CredentialKind.JWT, level=min(known.session.level, claims.level))
            facts.expires_at = min(facts.expires_at, claims.expires_at)
            return facts

        facts = await self._find(digest_token(token, key=self._access_tokens.key), load)
        if facts is None:
            raise TokenExpired
        return facts.principal

    async def by_api_key(self, key: str) -> Principal:
        """Give the principal of one of our API keys. Raises `InvalidApiKey`."""
        if not self._api_keys.format.is_sound(key):
            raise InvalidApiKey

        async def load() -> Facts | None:
            known = await self._api_keys.find(key)
            return None if known is None else self._facts_of_key(known)

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
            organization = await find_organization(connection)
            groups = tuple(await list_groups_of(connection, account.id))
            if organization is None:
                return None
            return self._facts_of_password(account, organization, groups, address=known_from)

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

    def _facts_of(self, known: KnownSession, kind: CredentialKind, *, level: int) -> Facts:
        session, account = known.session, known.account
        return Facts(
            principal=Principal(
                **self._owner(account, known.organization, known.groups),
                credential=kind,
                session_id=session.id,
                level=level,
            ),
            subjects=(account_subject(account.id), session_subject(session.id)),
            expires_at=session.expires_at.timestamp(),
            idle_expires_at=session.idle_expires_at.timestamp(),
            idle_timeout=session.idle_timeout.total_seconds(),
        )

    def _facts_of_key(self, known: KnownApiKey) -> Facts:
        api_key, account = known.api_key, known.account
        return Facts(
            principal=Principal(
                **self._owner(account, known.organization, known.groups),
                credential=CredentialKind.API_KEY,
                session_id=None,
                level=self._api_key_level,
                scopes=api_key.scopes,
                api_key_id=api_key.id,
            ),
            subjects=(account_subject(account.id), api_key_subject(api_key.id)),
            expires_at=api_key.expires_at.timestamp() if api_key.expires_at else math.inf,
            # A key does not end by not being used.
            idle_expires_at=math.inf,
            idle_timeout=math.inf,
        )

    def _facts_of_password(
        self, account: Account, organization: Organization, groups: tuple[str, ...], *, address: str
    ) -> Facts:
        return Facts(
            principal=Principal(
                **self._owner(account, organization, groups),
                credential=CredentialKind.BASIC,
                session_id=None,
                level=_LEVEL_OF_A_PASSWORD,
            ),
            subjects=(account_subject(account.id), password_subject(account.email), address_subject(address)),
            expires_at=math.inf,
            idle_expires_at=math.inf,
            idle_timeout=math.inf,
        )

    def _owner(self, account: Account, organization: Organization, groups: tuple[str, ...]) -> _Owner:
        return {
            "account_id": account.id,
            "email": account.email,
            "username": account.username,
            "name": account.name,
            "role": account.role,
            "organization": organization.display_name,
            "workspace": organization.workspace_name,
            "groups": groups,
            "must_change_password": account.must_change_password and self._force_password_change,
        }


class _Owner(TypedDict):
    """What a principal is, whatever proved it."""

    account_id: str
    email: str
    username: str | None
    name: str
    role: OrganizationRole
    organization: str
    workspace: str
    groups: tuple[str, ...]
    must_change_password: bool
