"""E-mail and password → a session, or the question for the second factor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from gateway.audit.events import EventKind, record
from gateway.challenges import OpenChallenge
from gateway.errors import SecondFactorRequired
from gateway.models import Account
from gateway.sessions import LoggedIn, Visitor
from gateway.throttle.logins import attempt_of

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.challenges import Challenges
    from gateway.login.opening import LoginOpening
    from gateway.password_proof import PasswordProof

_log = structlog.get_logger("gateway.security")


@dataclass(frozen=True, slots=True)
class LoginForm:
    """What a person gave: the e-mail address in its canonical form, the password as typed."""

    email: str
    password: str
    remember_me: bool


class PasswordLogin:
    """Open sessions for whoever proves a password, and challenges where there is a second factor (ASVS 6.3.3)."""

    def __init__(self, *, proof: PasswordProof, opening: LoginOpening, challenges: Challenges) -> None:
        self._proof = proof
        self._opening = opening
        self._challenges = challenges

    async def log_in(
        self, form: LoginForm, visitor: Visitor, *, with_refresh_token: bool = False
    ) -> LoggedIn | OpenChallenge:
        """Open a session, or a challenge for the second factor. Raises what `PasswordProof.prove` raises."""

        async def conclude(connection: AsyncConnection, account: Account) -> LoggedIn | OpenChallenge:
            if account.has_second_factor:
                now = datetime.now(UTC)
                # Whoever gets this far knows the password: its owner has to be able to see it (ASVS 16.3.1).
                await record(
                    connection, EventKind.LOGIN, account=account, succeeded=False, reason=SecondFactorRequired.code
                )
                _log.info("second_factor_wanted", client_address=visitor.client_address, account_id=account.id)
                return await self._challenges.open(connection, account, remember_me=form.remember_me, now=now)
            return await self._opening.open(
                connection,
                account,
                visitor=visitor,
                remember_me=form.remember_me,
                with_second_factor=False,
                with_refresh_token=with_refresh_token,
            )

        return await self._proof.prove(attempt_of(visitor, form.email), form.password, conclude)
