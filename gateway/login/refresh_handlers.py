"""The next access token, by JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from gateway.errors import RefreshRefused
from gateway.web.bodies import Body, Text, read_json
from gateway.web.errors import REQUEST_ID, refusal_body

if TYPE_CHECKING:
    from gateway.login.refresh import Refreshing
    from gateway.web.login_answers import LoginAnswers
    from gateway.web.portal import Portal

_log = structlog.get_logger("gateway.security")


class RefreshBody(Body):
    """The body of `POST /api/auth/refresh`. Browsers send none: they have the cookie.

    `retry` is LibreChat's, here and in the query: a first and a repeated refresh are answered alike.
    """

    refreshToken: Text | None = None  # noqa: N815 - the API's name
    retry: bool = False


@dataclass(frozen=True, slots=True)
class PresentedSessions:
    """The sessions that the cookies of a request stand for: those that a login replaces, and a logout ends."""

    portal: Portal
    refreshing: Refreshing
    answers: LoginAnswers

    async def find(self, request: web.Request) -> set[str]:
        principal = await self.portal.by_cookie(request)
        tokens = self.answers.refresh_cookie.read_all(request)
        found = await self.refreshing.find_session_ids(tokens) if tokens else set()
        return found if principal is None or principal.session_id is None else found | {principal.session_id}


@dataclass(frozen=True, slots=True)
class RefreshApi:
    """`POST /api/auth/refresh`."""

    portal: Portal
    refreshing: Refreshing
    answers: LoginAnswers

    async def refresh(self, request: web.Request) -> web.Response:
        """Answer a new access token, and replace the cookie."""
        self.portal.require_logins(request)
        body = await read_json(request, RefreshBody)
        try:
            token = await self._presented(request, body)
            refreshed = await self.refreshing.refresh(token, self.portal.visitor(request))
        except RefreshRefused as refusal:
            return await self._refuse(request, body, refusal)
        return self.answers.refreshed(refreshed.account, refreshed.session, refreshed.refresh_token)

    async def _presented(self, request: web.Request, body: RefreshBody) -> str:
        """Give the one token that came. Beside a good session cookie only a token of that session counts.

        A sibling host can plant this cookie, but no session cookie with its prefix: neither may it choose whose session
        goes on, nor keep the owner's from going on (RFC 6265bis section 8.6).
        """
        tokens = {token for token in (body.refreshToken, *self.answers.refresh_cookie.read_all(request)) if token}
        principal = await self.portal.by_cookie(request) if tokens else None
        if principal is not None:
            own = {principal.session_id}
            tokens = {token for token in tokens if await self.refreshing.find_session_ids([token]) == own}
        if len(tokens) != 1:
            raise RefreshRefused
        return tokens.pop()

    async def _refuse(self, request: web.Request, body: RefreshBody, refusal: RefreshRefused) -> web.Response:
        _log.info("refresh_refused", client_address=self.portal.visitor(request).client_address)
        answer = refusal_body(refusal, request_id=request[REQUEST_ID])
        response = web.json_response(answer, status=refusal.status)
        self.answers.refresh_cookie.clear(response)
        if self.portal.cookie.read(request) is not None and not await self._goes_on(request, body):
            self.portal.cookie.clear(response)
        return response

    async def _goes_on(self, request: web.Request, body: RefreshBody) -> bool:
        """Say whether a session behind the request lives: the session cookie goes only when its own session did.

        It may be another login's, made on the page since; or the session has new tokens, and this request left before
        the browser had them.
        """
        if await self.portal.by_cookie(request) is not None:
            return True
        tokens = {*self.answers.refresh_cookie.read_all(request), body.refreshToken or ""}
        return await self.refreshing.name_living_session(tokens)
