"""What people may change about themselves: their own collaborators, and the handlers over them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.account.handlers import AccountHandlers
from gateway.account.own_member_handlers import OwnMemberHandlers
from gateway.account.password_change import PasswordChange
from gateway.account.session_handlers import SessionHandlers
from gateway.account.sessions import OwnSessions

if TYPE_CHECKING:
    from gateway.wiring.parts import Parts


def make_account(parts: Parts) -> AccountHandlers:
    return AccountHandlers(
        portal=parts.portal,
        database=parts.database,
        profiles=parts.profiles,
        password_change=_password_change(parts),
        password_rules=parts.password_rules,
        return_urls=parts.return_urls,
        answers=parts.answers,
    )


def make_own_member(parts: Parts) -> OwnMemberHandlers:
    return OwnMemberHandlers(
        portal=parts.portal,
        database=parts.database,
        password_change=_password_change(parts),
        revocation=parts.revocation,
        answers=parts.answers,
    )


def make_sessions(parts: Parts) -> SessionHandlers:
    own = OwnSessions(parts.database, sessions=parts.sessions, revocation=parts.revocation)
    return SessionHandlers(parts.portal, own)


def _password_change(parts: Parts) -> PasswordChange:
    return PasswordChange(
        proof=parts.proof,
        rules=parts.password_rules,
        passwords=parts.passwords,
        sessions=parts.sessions,
        refresh_tokens=parts.refresh_tokens,
        revocation=parts.revocation,
    )
