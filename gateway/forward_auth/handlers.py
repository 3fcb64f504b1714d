"""The check behind aiohttp, and the page that a refused browser is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web
from multidict import CIMultiDict

from gateway.errors import (
    AnswerTooLarge,
    Forbidden,
    InsufficientScope,
    MalformedRequest,
    SecondFactorRequired,
    UnknownWorkspace,
    UntrustedPeer,
    WorkspaceNotSaid,
)
from gateway.forward_auth.check import CheckRequest
from gateway.forward_auth.request_headers import collect_headers
from gateway.forward_auth.visitor import is_navigation
from gateway.web.portal import peer_address

if TYPE_CHECKING:
    from gateway.forward_auth.check import Check
    from gateway.forward_auth.denied import DeniedPage
    from gateway.forward_auth.original_request import Endpoint
    from gateway.web.errors import Handler
    from gateway.web.portal import Portal


_REFUSALS = (
    Forbidden,
    SecondFactorRequired,
    InsufficientScope,
    UnknownWorkspace,
    WorkspaceNotSaid,
    MalformedRequest,
    UntrustedPeer,
    AnswerTooLarge,
)

# Only what we know is shown: the address of this page is anybody's to write.
_REASONS = {refusal.code: refusal for refusal in _REFUSALS}


def check_handler(check: Check, endpoint: Endpoint) -> Handler:
    """Make the handler of one endpoint: any method is a check, its own query and body mean nothing."""

    async def handle(request: web.Request) -> web.Response:
        answer = await check.answer(CheckRequest(endpoint, collect_headers(request.raw_headers), peer_address(request)))
        return web.Response(status=answer.status, headers=CIMultiDict(answer.headers), body=answer.body)

    return handle


@dataclass(frozen=True, slots=True)
class DeniedHandler:
    """`GET /denied/<decision id>`: any worker can answer it, for it knows only what it is told."""

    portal: Portal
    page: DeniedPage

    async def show(self, request: web.Request) -> web.Response:
        """Show who you are and which decision to ask about; the status stays 403."""
        reason = _REASONS.get(request.query.get("reason", ""), Forbidden)
        decision_id = request.match_info["decision_id"]
        if not is_navigation(collect_headers(request.raw_headers)):
            body = {"error": reason.title, "message": reason.sentence, "code": reason.code, "decision_id": decision_id}
            return web.json_response(body, status=reason.status)
        principal = await self.portal.on_page(request)
        text = self.page.render(reason, principal=principal, host=request.host, decision_id=decision_id)
        return web.Response(status=reason.status, text=text, content_type="text/html", headers=self.page.headers)
