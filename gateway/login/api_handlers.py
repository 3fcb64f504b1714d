"""Logging in and out by JSON."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aiohttp import web

from gateway.errors import EmailLoginOff, Unauthorized
from gateway.login.password_login import LoginForm
from gateway.web.bodies import Body, Email, Password, read_json

if TYPE_CHECKING:
    from datetime import timedelta

    from gateway.credentials.access_tokens import AccessTokens
    from gateway.login.password_login import PasswordLogin
    from gateway.revocation import Revocation
    from gateway.web.portal import Portal
    from gateway.web.profile import Profiles


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
    access_tokens: AccessTokens
    profiles: Profiles
    remember_me_lifetime: timedelta
    email_login_allowed: bool

    async def log_in(self, request: web.Request) -> web.Response:
        """Open a session; answer its access token, and set its cookie."""
        if not self.email_login_allowed:
            raise EmailLoginOff
        body = await read_json(request, LoginBody)
        before = await self.portal.by_cookie(request)
        form = LoginForm(body.email, body.password, remember_me=body.rememberMe)
        logged_in = await self.login.log_in(form, self.portal.visitor(request))
        await self.revocation.end_session_of(before)
        token = self.access_tokens.sign(
            subject=logged_in.account.id,
            session_id=logged_in.session.id,
            now=datetime.now(UTC),
            profile=self.profiles.claims(logged_in.account),
        )
        response = web.json_response({"token": token, "user": self.profiles.user(logged_in.account)})
        max_age = self.remember_me_lifetime if body.rememberMe else None
        self.portal.cookie.set(response, logged_in.token, max_age=max_age)
        return response

    async def log_out(self, request: web.Request) -> web.Response:
        """End the session of the access token, of the cookie, or of both."""
        principals = [await self.portal.by_cookie(request)]
        if "Authorization" in request.headers:
            try:
                principals.append(await self.portal.by_bearer(request))
            except Unauthorized:
                # A dead token beside a good cookie, or the cookie's own remains, is no reason to stay logged in.
                if self.portal.cookie.read(request) is None:
                    raise
        elif self.portal.cookie.read(request) is None:
            raise Unauthorized
        for principal in principals:
            await self.revocation.end_session_of(principal)
        response = web.json_response({"message": "Logout successful"})
        self.portal.cookie.clear(response)
        return response
