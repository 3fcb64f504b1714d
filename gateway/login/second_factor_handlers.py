"""The page of a login's second step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from gateway.errors import ChallengeExpired, GatewayError
from gateway.web.bodies import read_form
from gateway.web.page_state import flash
from gateway.web.portal import form_problems, see_other
from gateway.web.return_urls import origin_of, with_return_url

if TYPE_CHECKING:
    from gateway.login.second_factor_login import SecondFactorLogin
    from gateway.revocation import Revocation
    from gateway.web.challenge_cookie import ChallengeCookie
    from gateway.web.login_answers import LoginAnswers
    from gateway.web.portal import Portal
    from gateway.web.return_urls import ReturnUrls


@dataclass(frozen=True, slots=True)
class SecondFactorPages:
    """`GET /login/second-factor`, `POST /login/second-factor`. The cookie of the login says whose code it has to be."""

    portal: Portal
    login: SecondFactorLogin
    challenge_cookie: ChallengeCookie
    revocation: Revocation
    return_urls: ReturnUrls
    answers: LoginAnswers

    async def show(self, request: web.Request) -> web.Response:
        """Ask for a code, or for a login where none waits for one."""
        return_url = self.return_urls.accept(request.query.get("rd", "")) or ""
        try:
            await self.login.require_waiting(self._token(request))
        except ChallengeExpired as refusal:
            return await self._begin_again(request, return_url, refusal)
        return await self._form(request, return_url=return_url)

    async def submit(self, request: web.Request) -> web.Response:
        """Finish the login and go where the visitor wanted to be."""
        fields = await read_form(request)
        return_url = self.return_urls.accept(fields.get("rd", "")) or ""
        try:
            await self.portal.require_form_token(request, fields)
            before = await self.portal.by_cookie(request)
            logged_in = await self.login.log_in(
                self._token(request), fields.get("code", ""), self.portal.visitor(request)
            )
        except ChallengeExpired as refusal:
            return await self._begin_again(request, return_url, refusal)
        except GatewayError as refusal:
            return await self._form(request, return_url=return_url, refusal=refusal)
        await self.revocation.end_session_of(before)
        must_change = logged_in.account.must_change_password
        response = see_other(with_return_url("/change-password", return_url) if must_change else return_url or "/")
        self.answers.set_cookie(response, logged_in)
        self.challenge_cookie.clear(response)
        return response

    def _token(self, request: web.Request) -> str:
        token = self.challenge_cookie.read(request)
        if token is None:
            raise ChallengeExpired
        return token

    async def _begin_again(self, request: web.Request, return_url: str, refusal: ChallengeExpired) -> web.Response:
        await flash(request, refusal.message)
        response = see_other(with_return_url("/login", return_url))
        self.challenge_cookie.clear(response)
        return response

    async def _form(
        self, request: web.Request, *, return_url: str, refusal: GatewayError | None = None
    ) -> web.Response:
        origin = origin_of(return_url)
        return await self.portal.page(
            request,
            "second_factor.html",
            refusal=refusal,
            form_leads_to=origin,
            return_url=return_url,
            return_host=origin.partition("://")[2] if origin else None,
            login_url=with_return_url("/login", return_url),
            errors=form_problems(refusal),
        )
