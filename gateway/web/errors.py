"""The one place that answers refusals: JSON for programs, a page for browsers."""

from __future__ import annotations

import math
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import structlog
from aiohttp import web

from gateway.errors import (
    BodyTooLarge,
    GatewayError,
    MalformedBody,
    MethodNotAllowed,
    NotFound,
    Unauthorized,
)
from gateway.web.pages import Pages, security_headers
from gateway.web.v1_errors import is_v1, v1_detail, v1_status

_log = structlog.get_logger("gateway.web")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

REQUEST_ID = web.RequestKey("request_id", str)
_OK = 200
_FIRST_ERROR = 400
_SERVER_ERRORS = 500
_OF_THE_LIBRARY: dict[int, type[GatewayError]] = {404: NotFound, 405: MethodNotAllowed, 413: BodyTooLarge}


@dataclass(frozen=True, slots=True)
class RefusalAnswers:
    """The outermost middleware: a request id, and an answer for every refusal."""

    pages: Pages
    secure: bool

    @web.middleware
    async def answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        request[REQUEST_ID] = secrets.token_hex(8)
        with structlog.contextvars.bound_contextvars(request_id=request[REQUEST_ID]):
            try:
                # Nothing has such a name, and PostgreSQL takes no NUL, not even to look for one.
                if "\x00" in request.path:
                    raise NotFound  # noqa: TRY301 - answered like every refusal
                return await handler(request)
            except GatewayError as refusal:
                return self._reply(request, refusal)
            except web.HTTPException as error:
                if error.status < _FIRST_ERROR:
                    raise
                return self._reply(request, _of_the_library(error))
            except Exception:  # noqa: BLE001 - logged with its traceback
                _log.exception("internal_error", method=request.method, path=request.path)
                return self._reply(request, GatewayError())

    def _reply(self, request: web.Request, refusal: GatewayError) -> web.Response:
        headers = refusal_headers(refusal)
        request_id = request[REQUEST_ID]
        if not wants_page(request):
            status, body = refusal.status, refusal_body(refusal, request_id=request_id)
            if is_v1(request.path):
                status, body["detail"] = v1_status(type(refusal)), v1_detail(refusal)
            return web.json_response(body, status=status, headers=headers)
        page = self.pages.render(
            "error.html", status=refusal.status, title=refusal.title, message=refusal.message, request_id=request_id
        )
        headers |= security_headers(secure=self.secure)
        return web.Response(text=page, status=refusal.status, content_type="text/html", headers=headers)


async def stamp_answer(request: web.Request, response: web.StreamResponse) -> None:
    """Add what every answer carries, at the last moment: a file learns only then whether it is there."""
    response.headers.setdefault("Cache-Control", _caching(request, response))
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    # A check has one id, its decision's, in both lanes and in the audit.
    response.headers["X-Request-Id"] = response.headers.get("X-Decision-Id") or request.get(REQUEST_ID, "")
    response.headers["Server"] = "gateway"


def _caching(request: web.Request, response: web.StreamResponse) -> str:
    """Let browsers keep a static file whose address carries its version; store nothing else."""
    versioned = request.path.startswith("/static/") and "v" in request.query
    return "public, max-age=31536000, immutable" if versioned and response.status == _OK else "no-store"


def _of_the_library(error: web.HTTPException) -> GatewayError:
    refusal = _OF_THE_LIBRARY.get(error.status, MalformedBody)()
    if "Allow" in error.headers:
        refusal.headers["Allow"] = error.headers["Allow"]
    return refusal


def wants_page(request: web.Request) -> bool:
    """Say whether a refusal is better read as a page: a browser's own navigation, outside the JSON API."""
    return not request.path.startswith("/api/") and "text/html" in request.headers.get("Accept", "")


def refusal_body(refusal: GatewayError, *, request_id: str) -> dict[str, Any]:
    """Give the error shape of the JSON API; bodies that the API's model states word for word carry no code."""
    body: dict[str, Any] = {"error": refusal.title, "message": refusal.message}
    if refusal.code_in_body:
        body["code"] = refusal.code
    if refusal.detail is not None:
        body["detail"] = refusal.detail
    if refusal.fields:
        body["fields"] = refusal.fields
    if refusal.status >= _SERVER_ERRORS:
        body["request_id"] = request_id
    return body


def refusal_headers(refusal: GatewayError) -> dict[str, str]:
    headers = dict(refusal.headers)
    if refusal.status == Unauthorized.status:
        headers["WWW-Authenticate"] = "Bearer"
    if refusal.retry_after is not None:
        headers["Retry-After"] = str(max(1, math.ceil(refusal.retry_after.total_seconds())))
    return headers
