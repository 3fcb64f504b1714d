"""What is known of a good credential, as facts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from gateway.facts.facts import (
    Facts,
    account_subject,
    address_subject,
    api_key_subject,
    password_from_subject,
    password_subject,
    session_subject,
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
    from gateway.sessions import KnownSession

# Basic never satisfies a second factor.
_LEVEL_OF_A_PASSWORD = 1


@dataclass(frozen=True, slots=True)
class FactsOf:
    """Turn what was found in the store into facts."""

    api_key_level: int
    force_password_change: bool

    def session(
        self, known: KnownSession, kind: CredentialKind = CredentialKind.SESSION, *, at_most: int | None = None
    ) -> Facts:
        """Give the facts of a session, or of a token that belongs to it and stands for so many factors at most."""
        session, account = known.session, known.account
        return Facts(
            principal=Principal(
                **self._owner(account, known.standing),
                credential=kind,
                session_id=session.id,
                level=session.level if at_most is None else min(session.level, at_most),
            ),
            subjects=(account_subject(account.id), session_subject(session.id)),
            expires_at=session.expires_at.timestamp(),
            idle_expires_at=session.idle_expires_at.timestamp(),
            idle_timeout=session.idle_timeout.total_seconds(),
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
            subjects=(account_subject(owner.id), api_key_subject(api_key.id)),
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
            subjects=(
                account_subject(account.id),
                password_subject(account.email),
                password_from_subject(account.email, address),
                address_subject(address),
            ),
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
            subjects=(account_subject(account.id),),
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
