"""E-mail and password → a session."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from gateway.models import Account, Session
from gateway.sessions import Visitor
from gateway.throttle import Attempt

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.password_proof import PasswordProof
    from gateway.sessions import Sessions

_log = structlog.get_logger("gateway.security")


@dataclass(frozen=True, slots=True)
class LoginForm:
    """What a person gave: the e-mail address in its canonical form, the password as typed."""

    email: str
    password: str
    remember_me: bool


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """An open session. The token goes into the cookie and nowhere else."""

    account: Account
    session: Session
    token: str


class PasswordLogin:
    """Open sessions for whoever proves a password."""

    def __init__(self, *, proof: PasswordProof, sessions: Sessions) -> None:
        self._proof = proof
        self._sessions = sessions

    async def log_in(self, form: LoginForm, visitor: Visitor) -> LoggedIn:
        """Open a session. Raises `InvalidCredentials`, `TooManyAttempts` or `Unavailable`."""

        async def open_session(connection: AsyncConnection, account: Account) -> LoggedIn:
            session, token = await self._sessions.open(
                connection, account, visitor=visitor, remember_me=form.remember_me, now=datetime.now(UTC)
            )
            return LoggedIn(account, session, token)

        attempt = Attempt(form.email, visitor.client_address)
        logged_in = await self._proof.prove(attempt, form.password, open_session)
        _log.info(
            "login_succeeded",
            client_address=visitor.client_address,
            account_id=logged_in.account.id,
            session_id=logged_in.session.id,
        )
        return logged_in
