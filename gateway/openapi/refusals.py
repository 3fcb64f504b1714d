"""Which refusals a route can answer, and how each reads in the document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.errors import (
    BodyTooLarge,
    CrossOrigin,
    InvalidFields,
    InvalidQuery,
    InvalidToken,
    LoginNotNeeded,
    MalformedBody,
    NotFound,
    PasswordChangeRequired,
    PermissionDenied,
    SlowBody,
    TokenExpired,
    TooManyAttempts,
    Unauthorized,
    Unavailable,
    UnsupportedMediaType,
)
from gateway.openapi.operation import Credential, Tag
from gateway.permissions import WORKSPACE_PERMISSIONS
from gateway.web.errors import refusal_body
from gateway.web.v1_errors import is_v1, v1_detail, v1_status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.errors import GatewayError
    from gateway.openapi.operation import DescribedRoute

COMMON_HEADERS = {
    "X-Request-Id": {
        "description": "Names this request in the log.",
        "required": True,
        "schema": {"type": "string"},
    }
}
_WHOLE_SECONDS = {"type": "integer", "minimum": 0}
_RETRY_AFTER = {
    "Retry-After": {
        "description": "Seconds until another try can succeed.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    }
}
_HEADERS: dict[int, dict[str, Any]] = {
    Unauthorized.status: {
        "WWW-Authenticate": {"required": True, "schema": {"type": "string"}},
    },
    TooManyAttempts.status: {
        **_RETRY_AFTER,
        "X-RateLimit-Limit": {"description": "Tries within the window.", "schema": _WHOLE_SECONDS},
        "X-RateLimit-Remaining": {"description": "Tries that are left.", "schema": _WHOLE_SECONDS},
        "X-RateLimit-Reset": {"description": "When the window ends.", "schema": _WHOLE_SECONDS},
    },
    Unavailable.status: _RETRY_AFTER,
}
_OF_BODIES = (MalformedBody, InvalidFields, SlowBody, BodyTooLarge, UnsupportedMediaType)
_OF_ACCESS_TOKENS = (Unauthorized, InvalidToken, TokenExpired)
_ABOUT_LOGINS = frozenset({Tag.SESSIONS, Tag.SECOND_FACTOR, Tag.REGISTRATION})
_FIELDS_EXAMPLE = {"email": "This field is missing."}
_QUERY_EXAMPLE = {"limit": "This must be a whole number."}
_REQUEST_ID_EXAMPLE = "9f86d081884c7d65"


def refusals_of(route: DescribedRoute) -> Sequence[type[GatewayError]]:
    """Give every refusal that this route can answer, each once."""
    operation = route.operation
    if operation.internal:
        return ()
    refusals: list[type[GatewayError]] = list(operation.refusals)
    if operation.body is not None:
        refusals += _OF_BODIES
    if operation.query is not None:
        refusals.append(InvalidQuery)
    if operation.tag in _ABOUT_LOGINS:
        refusals.append(LoginNotNeeded)
    if Credential.ACCESS_TOKEN in operation.credentials:
        refusals += _OF_ACCESS_TOKENS
        if not operation.password_may_be_due:
            refusals.append(PasswordChangeRequired)
    if route.permission is not None:
        refusals.append(PermissionDenied)
    if route.permission in WORKSPACE_PERMISSIONS:
        refusals.append(NotFound)
    if route.same_origin:
        refusals.append(CrossOrigin)
    refusals.append(Unavailable)
    return tuple(dict.fromkeys(refusals))


def status_of(route: DescribedRoute, refusal: type[GatewayError]) -> int:
    return v1_status(refusal) if is_v1(route.path) else refusal.status


def response_of(refusals: Sequence[type[GatewayError]], schema: dict[str, Any], *, v1: bool = False) -> dict[str, Any]:
    """Describe the refusals of one status."""
    return {
        "description": " ".join(dict.fromkeys(refusal.sentence for refusal in refusals)),
        "headers": {**COMMON_HEADERS, **_HEADERS.get(refusals[0].status, {})},
        "content": {
            "application/json": {
                "schema": schema,
                "examples": {refusal.code: {"value": _example(refusal, v1=v1)} for refusal in refusals},
            }
        },
    }


def _example(refusal: type[GatewayError], *, v1: bool) -> dict[str, Any]:
    shown = refusal()
    if refusal is InvalidFields:
        shown.fields.update(_FIELDS_EXAMPLE)
    if refusal is InvalidQuery:
        shown.fields.update(_QUERY_EXAMPLE)
    body = refusal_body(shown, request_id=_REQUEST_ID_EXAMPLE)
    return {**body, "detail": v1_detail(shown)} if v1 else body
