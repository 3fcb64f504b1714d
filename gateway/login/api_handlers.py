"""Logging in and out by JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from gateway.challenges import OpenChallenge
from gateway.errors import EmailLoginOff, Unauthorized
from gateway.login.password_login import LoginForm
from gateway.web.bodies import Body, Email, Password, read_json

if TYPE_CHECKING:
    from gateway.login.password_login import PasswordLogin
    from gateway.login.refresh_handlers import PresentedSessions
    from gateway.login.second_factor_api_handlers import HalfFinishedLogins
    from gateway.revocation import Revocation
    from gateway.web.login_answers import LoginAnswers
    from gateway.web.portal import Portal


class LoginBody(Body):
    """The body of `POST /api/auth/login`."""

    email: Email
    password: Password
    rememberMe: bool = False  # noqa: N815 - the API's name


@dataclass(frozen=True, slots=True)
class LoginApi:
    """`POST /api/auth/login`, `POST /api/auth/logout`."""

    portal: Portal
    login: PasswordLogin
    revocation: Revocation
    presented: PresentedSessions
    half_finished: HalfFinishedLogins
    answers: LoginAnswers
    email_login_allowed: bool

    async def log_in(self, request: web.Request) -> web.Response:
        """Open a session; answer its access token, and set its cookies. With a second factor none of them is given."""
        if not self.email_login_allowed:
            raise EmailLoginOff
        body = await read_json(request, LoginBody)
        before = await self.presented.find(request)
        form = LoginForm(body.email, body.password, remember_me=body.rememberMe)
        outcome = await self.login.log_in(form, self.portal.visitor(request), with_refresh_token=True)
        if isinstance(outcome, OpenChallenge):
            return self.half_finished.answer(outcome)
        for session_id in before:
            await self.revocation.end_session(session_id)
        return self.answers.as_json(outcome)

    async def log_out(self, request: web.Request) -> web.Response:
        """End the session of the access token and of each cookie."""
        sessions = await self.presented.find(request)
        has_cookie = self.portal.cookie.read(request) is not None or self.answers.refresh_cookie.read_all(request)
        if "Authorization" in request.headers or not has_cookie:
            try:
                await self.revocation.end_session_of(await self.portal.by_session(request, password_may_be_due=True))
            except Unauthorized:
                # A dead token beside a good cookie, or the cookie's own remains, is no reason to stay logged in.
                if not has_cookie:
                    raise
        for session_id in sessions:
            await self.revocation.end_session(session_id)
        response = web.json_response({"message": "Logout successful"})
        self.answers.clear_cookies(response)
        return response
