"""E-mail and password → a session."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from gateway.errors import GatewayError, InvalidCredentials
from gateway.models import Account, Session
from gateway.sessions import Visitor
from gateway.storage.accounts import find_account, find_account_by_email
from gateway.throttle import Attempt

if TYPE_CHECKING:
    from gateway.credentials.passwords import PasswordHashing
    from gateway.sessions import Sessions
    from gateway.storage.database import Database
    from gateway.throttle import LoginThrottle

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
    """Verify a password and open a session, at the same cost for known and unknown accounts (ASVS 6.3.8)."""

    def __init__(
        self, database: Database, *, throttle: LoginThrottle, passwords: PasswordHashing, sessions: Sessions
    ) -> None:
        self._database = database
        self._throttle = throttle
        self._passwords = passwords
        self._sessions = sessions

    async def log_in(self, form: LoginForm, visitor: Visitor) -> LoggedIn:
        """Open a session. Raises `InvalidCredentials`, `TooManyAttempts` or `Unavailable`."""
        attempt = Attempt(form.email, visitor.client_address)
        try:
            account = await self._admit(attempt)
            proven = await self._passwords.verify(form.password, expected=account.password_hash if account else None)
            logged_in = await self._conclude(attempt, account if proven else None, form=form, visitor=visitor)
            if logged_in is None:
                await self._throttle.count_failure_of(visitor.client_address)
                raise InvalidCredentials
        except GatewayError as refusal:
            # One stable line, for fail2ban and CrowdSec. An account that does not exist is not told apart.
            _log.info("login_failed", client_address=visitor.client_address, email=form.email, reason=refusal.code)
            raise
        _log.info(
            "login_succeeded",
            client_address=visitor.client_address,
            account_id=logged_in.account.id,
            session_id=logged_in.session.id,
        )
        return logged_in

    async def _admit(self, attempt: Attempt) -> Account | None:
        async with self._database.read() as connection:
            await self._throttle.admit(connection, attempt, now=datetime.now(UTC))
            return await find_account_by_email(connection, attempt.name)

    async def _conclude(
        self, attempt: Attempt, proven: Account | None, *, form: LoginForm, visitor: Visitor
    ) -> LoggedIn | None:
        """Count the failure or open the session: one transaction, in which what was read before is read again."""
        now = datetime.now(UTC)
        async with self._database.write() as connection:
            account = await find_account(connection, proven.id) if proven else None
            if account is not None and (account.disabled or account != proven):
                account = None
            await self._throttle.settle(connection, attempt, proven=account is not None, now=now)
            if account is None:
                return None
            session, token = await self._sessions.open(
                connection, account, visitor=visitor, remember_me=form.remember_me, now=now
            )
            return LoggedIn(account, session, token)
