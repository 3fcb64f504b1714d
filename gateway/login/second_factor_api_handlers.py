"""The second step of a login, by JSON."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aiohttp import web

from gateway.credentials.temp_tokens import TempTokenClaims
from gateway.errors import ChallengeExpired, InvalidFields, InvalidToken, TokenExpired
from gateway.web.bodies import Text, read_json
from gateway.web.code_bodies import CodeBody

if TYPE_CHECKING:
    from gateway.challenges import OpenChallenge
    from gateway.credentials.temp_tokens import TempTokens
    from gateway.login.refresh_handlers import PresentedSessions
    from gateway.login.second_factor_login import SecondFactorLogin
    from gateway.revocation import Revocation
    from gateway.web.login_answers import LoginAnswers
    from gateway.web.portal import Portal

_METHODS = ("totp", "backup_code")


class TempTokenBody(CodeBody):
    """The body of `POST /api/auth/2fa/verify-temp`."""

    tempToken: Text  # noqa: N815 - the API's name


@dataclass(frozen=True, slots=True)
class HalfFinishedLogins:
    """How a program holds a half-finished login: by a temp token, and by no cookie."""

    temp_tokens: TempTokens

    def answer(self, opened: OpenChallenge) -> web.Response:
        """Answer a login whose password was right, and that wants a second factor."""
        challenge = opened.challenge
        claims = TempTokenClaims(subject=challenge.account_id, challenge_token=opened.token)
        token = self.temp_tokens.sign(claims, now=datetime.now(UTC), expires_at=challenge.expires_at)
        return web.json_response({"twoFAPending": True, "tempToken": token, "methods": list(_METHODS)})

    def open(self, temp_token: str) -> TempTokenClaims:
        """Give what a temp token says. Raises `ChallengeExpired` for whatever is no good one."""
        try:
            return self.temp_tokens.verify(temp_token, now=datetime.now(UTC))
        except (InvalidToken, TokenExpired) as refusal:
            raise ChallengeExpired from refusal


@dataclass(frozen=True, slots=True)
class SecondFactorLoginApi:
    """`POST /api/auth/2fa/verify-temp`."""

    portal: Portal
    half_finished: HalfFinishedLogins
    login: SecondFactorLogin
    presented: PresentedSessions
    revocation: Revocation
    answers: LoginAnswers

    async def verify_temp(self, request: web.Request) -> web.Response:
        """Finish a login; answer its access token, and set its cookies."""
        body = await read_json(request, TempTokenBody)
        if body.given is None:
            raise InvalidFields(fields={"token": "This field is missing."})
        claims = self.half_finished.open(body.tempToken)
        before = await self.presented.find(request)
        logged_in = await self.login.log_in(
            claims.challenge_token, body.given, self.portal.visitor(request), with_refresh_token=True
        )
        for session_id in before:
            await self.revocation.end_session(session_id)
        return self.answers.as_json(logged_in)
