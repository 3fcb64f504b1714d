"""What is known of a good credential, as facts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, TypedDict

from gateway.facts.facts import (
    Facts,
    address_subject,
    name_in,
    password_from_subject,
    password_subject,
)
from gateway.models import (
    Account,
    CredentialKind,
    OrganizationRole,
    Principal,
    ServiceAccount,
    Standing,
    Workspace,
)

if TYPE_CHECKING:
    from gateway.api_keys import KnownApiKey
    from gateway.credentials.access_tokens import AccessTokenClaims
    from gateway.sessions import KnownSession

# Basic never satisfies a second factor.
_LEVEL_OF_A_PASSWORD = 1


# There are as many idle timeouts as the settings had, and one number for each is enough.
_seconds = lru_cache(64)(timedelta.total_seconds)


@dataclass(frozen=True, slots=True)
class FactsOf:
    """Turn what was found in the store into facts."""

    api_key_level: int
    force_password_change: bool

    def access_token(self, known: KnownSession, claims: AccessTokenClaims) -> Facts | None:
        """Give the facts of a token that belongs to a session, if it does."""
        if known.account.id != claims.subject:
            return None
        # A copy that was stolen when a password was enough must not become one of two factors with its session.
        facts = self._session(known, CredentialKind.JWT, level=min(known.session.level, claims.level))
        facts.expires_at = min(facts.expires_at, claims.expires_at)
        return facts

    def session(self, known: KnownSession) -> Facts:
        return self._session(known, CredentialKind.SESSION, level=known.session.level)

    def _session(self, known: KnownSession, kind: CredentialKind, *, level: int) -> Facts:
        session, account = known.session, known.account
        return Facts(
            principal=Principal(
                **self._owner(account, known.standing), credential=kind, session_id=session.id, level=level
            ),
            expires_at=session.expires_at.timestamp(),
            idle_timeout=_seconds(session.idle_timeout),
            noted_at=session.last_seen_at.timestamp(),
        )

    def api_key(self, known: KnownApiKey) -> Facts:
        api_key, owner = known.api_key, known.owner
        owned = self._owner(owner, known.standing) if isinstance(owner, Account) else _service(owner, known.standing)
        return Facts(
            principal=Principal(
                **owned,
                credential=CredentialKind.API_KEY,
                session_id=None,
                level=self.api_key_level,
                scopes=api_key.scopes,
                api_key_id=api_key.id,
                is_service=api_key.of_service,
            ),
            expires_at=api_key.expires_at.timestamp() if api_key.expires_at else math.inf,
        )

    def password(self, account: Account, standing: Standing, *, address: str) -> Facts:
        return Facts(
            principal=Principal(
                **self._owner(account, standing),
                credential=CredentialKind.BASIC,
                session_id=None,
                level=_LEVEL_OF_A_PASSWORD,
            ),
            further=tuple(map(name_in, _subjects_of_a_password(account.email, address))),
        )

    def default_user(self, account: Account, standing: Standing) -> Facts:
        """Give the facts of whoever presents nothing, where that is enough: as good as a password, and no better."""
        return Facts(
            principal=Principal(
                **self._owner(account, standing),
                credential=CredentialKind.NONE,
                session_id=None,
                level=_LEVEL_OF_A_PASSWORD,
            ),
        )

    def _owner(self, account: Account, standing: Standing) -> _Owner:
        return {
            "account_id": account.id,
            "email": account.email,
            "username": account.username,
            "name": account.name,
            "role": account.role,
            "standing": standing,
            "workspace": standing.memberships[0].workspace if standing.memberships else None,
            "must_change_password": account.must_change_password and self.force_password_change,
        }


def _subjects_of_a_password(email: str, address: str) -> tuple[str, ...]:
    return password_subject(email), password_from_subject(email, address), address_subject(address)


def _service(account: ServiceAccount, standing: Standing) -> _Owner:
    return {
        "account_id": account.id,
        "email": "",
        "username": None,
        "name": account.name,
        "role": account.role,
        "standing": standing,
        "workspace": _default_workspace(account, standing),
        "must_change_password": False,
    }


def _default_workspace(account: ServiceAccount, standing: Standing) -> Workspace | None:
    """Give the only workspace, or the one that was said; of several, a program has to say which it means."""
    if len(standing.memberships) == 1:
        return standing.memberships[0].workspace
    usual = standing.membership_in(account.default_workspace_id)
    return None if usual is None else usual.workspace


class _Owner(TypedDict):
    """What a principal is, whatever proved it."""

    account_id: str
    email: str
    username: str | None
    name: str
    role: OrganizationRole
    standing: Standing
    workspace: Workspace | None
    must_change_password: bool
