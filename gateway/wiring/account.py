"""What people may change about themselves: their own collaborators, and the handlers over them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.account.api_key_handlers import ApiKeyHandlers
from gateway.account.api_keys import OwnedApiKeys
from gateway.account.handlers import AccountHandlers
from gateway.account.password_change import PasswordChange
from gateway.account.session_handlers import SessionHandlers
from gateway.account.sessions import OwnSessions

if TYPE_CHECKING:
    from gateway.wiring.parts import Parts


def make_account(parts: Parts) -> AccountHandlers:
    change = PasswordChange(
        proof=parts.proof,
        rules=parts.password_rules,
        passwords=parts.passwords,
        sessions=parts.sessions,
        refresh_tokens=parts.refresh_tokens,
        revocation=parts.revocation,
    )
    return AccountHandlers(
        portal=parts.portal,
        database=parts.database,
        profiles=parts.profiles,
        password_change=change,
        password_rules=parts.password_rules,
        return_urls=parts.return_urls,
        answers=parts.answers,
    )


def make_sessions(parts: Parts) -> SessionHandlers:
    own = OwnSessions(parts.database, sessions=parts.sessions, revocation=parts.revocation)
    return SessionHandlers(parts.portal, own)


def make_api_keys(parts: Parts) -> ApiKeyHandlers:
    owned = OwnedApiKeys(parts.database, api_keys=parts.api_keys, revocation=parts.revocation)
    return ApiKeyHandlers(portal=parts.portal, api_keys=owned)
