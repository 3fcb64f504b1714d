"""The login page, and logging out from it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from aiohttp import web
from aiohttp_session import get_session
from pydantic import BeforeValidator

from gateway.challenges import OpenChallenge
from gateway.errors import EmailLoginOff, EmailNotVerified, GatewayError, StaleForm
from gateway.login.loop_breaker import note_arrival
from gateway.login.password_login import LoginForm
from gateway.web.bodies import Body, Email, Password, parse_form, read_form
from gateway.web.page_state import flash, take_notice
from gateway.web.portal import form_problems, see_other
from gateway.web.return_urls import origin_of, with_return_url

if TYPE_CHECKING:
    from gateway.login.password_login import PasswordLogin
    from gateway.models import Principal
    from gateway.revocation import Revocation
    from gateway.sessions import LoggedIn
    from gateway.web.challenge_cookie import ChallengeCookie
    from gateway.web.login_answers import LoginAnswers
    from gateway.web.portal import Portal
    from gateway.web.return_urls import ReturnUrls

_HOME = "/"
_ARRIVALS = "arrivals"


class LoginBody(Body):
    """The fields of the login page."""

    email: Email
    password: Password
    remember_me: Annotated[bool, BeforeValidator(lambda value: value == "on")] = False


@dataclass(frozen=True, slots=True)
class LoginPages:
    """`GET /login`, `POST /login`, `POST /logout`."""

    portal: Portal
    login: PasswordLogin
    revocation: Revocation
    return_urls: ReturnUrls
    answers: LoginAnswers
    challenge_cookie: ChallengeCookie
    email_login_allowed: bool
    registration_allowed: bool
    password_reset_allowed: bool

    async def show(self, request: web.Request) -> web.Response:
        """Show the form, or send on whoever is logged in already. `redirect_to` is what LibreChat's client says.

        Where nobody logs in the page leads on, and never by itself: who was refused would come straight back.
        """
        wanted = request.query.get("rd") or request.query.get("redirect_to", "")
        return_url = self.return_urls.accept(wanted) or ""
        if self.portal.default_user is not None:
            return await self.portal.page(request, "no_login.html", return_url=return_url or _HOME)
        principal = await self.portal.by_cookie(request)
        if principal is not None:
            return await self._send_on(request, principal, return_url)
        return await self._form(request, return_url=return_url)

    async def submit(self, request: web.Request) -> web.Response:
        """Log in and go where the visitor wanted to be."""
        fields = await read_form(request)
        return_url = self.return_urls.accept(fields.get("rd", "")) or ""
        try:
            await self.portal.require_form_token(request, fields)
            outcome = await self._log_in(request, parse_form(fields, LoginBody))
        except GatewayError as refusal:
            return await self._form(request, return_url=return_url, fields=fields, refusal=refusal)
        if isinstance(outcome, OpenChallenge):
            response = see_other(with_return_url("/login/second-factor", return_url))
            self.challenge_cookie.set(response, outcome.token)
            return response
        must_change = outcome.account.must_change_password
        response = see_other(with_return_url("/change-password", return_url) if must_change else return_url or _HOME)
        self.answers.set_cookie(response, outcome)
        return response

    async def log_out(self, request: web.Request) -> web.Response:
        """End the session and show the login page."""
        try:
            await self.portal.require_form_token(request, await read_form(request))
        except StaleForm:
            return see_other(_HOME)
        await self.revocation.end_session_of(await self.portal.by_cookie(request))
        await flash(request, "You are logged out.")
        response = see_other("/login")
        self.answers.clear_cookies(response)
        self.challenge_cookie.clear(response)
        return response

    async def _log_in(self, request: web.Request, body: LoginBody) -> LoggedIn | OpenChallenge:
        if not self.email_login_allowed:
            raise EmailLoginOff
        before = await self.portal.by_cookie(request)
        form = LoginForm(body.email, body.password, remember_me=body.remember_me)
        outcome = await self.login.log_in(form, self.portal.visitor(request))
        if not isinstance(outcome, OpenChallenge):
            # The cookie is replaced: the session that it stood for must not live on unseen (ASVS 7.2.4).
            await self.revocation.end_session_of(before)
        return outcome

    async def _send_on(self, request: web.Request, principal: Principal, return_url: str) -> web.Response:
        if principal.must_change_password:
            return see_other(with_return_url("/change-password", return_url))
        if return_url and await self._arrived_too_often(request, return_url):
            return await self.portal.page(
                request,
                "loop.html",
                return_url=return_url,
                cookie_name=self.portal.cookie.name,
                cookie_domain=self.portal.cookie.domain,
                public_url=self.portal.public_url,
            )
        return see_other(return_url or _HOME)

    async def _arrived_too_often(self, request: web.Request, return_url: str) -> bool:
        state = await get_session(request)
        known = state.get(_ARRIVALS, {})
        # A digest, for the state lives in a cookie and a return URL may be long.
        target = hashlib.sha256(return_url.encode()).hexdigest()[:16]
        moments = known.get("at", []) if known.get("rd") == target else []
        arrivals, too_often = note_arrival(moments, time.time())
        state[_ARRIVALS] = {"rd": target, "at": arrivals}
        return too_often

    async def _form(
        self,
        request: web.Request,
        *,
        return_url: str,
        fields: Mapping[str, str] | None = None,
        refusal: GatewayError | None = None,
    ) -> web.Response:
        origin = origin_of(return_url)
        return await self.portal.page(
            request,
            "login.html",
            refusal=refusal,
            form_leads_to=origin,
            return_url=return_url,
            return_host=origin.partition("://")[2] if origin else None,
            email=(fields or {}).get("email", ""),
            remember_me=(fields or {}).get("remember_me") == "on",
            registration_allowed=self.registration_allowed,
            password_reset_allowed=self.password_reset_allowed,
            email_unverified=isinstance(refusal, EmailNotVerified),
            errors=form_problems(refusal),
            notice=await take_notice(request) if refusal is None else None,
        )
