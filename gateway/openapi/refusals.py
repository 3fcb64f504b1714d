"""Which refusals a route can answer, and how each reads in the document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.errors import (
    BodyTooLarge,
    CrossOrigin,
    InvalidFields,
    InvalidToken,
    MalformedBody,
    PasswordChangeRequired,
    SlowBody,
    TokenExpired,
    TooManyAttempts,
    Unauthorized,
    Unavailable,
    UnsupportedMediaType,
)
from gateway.openapi.operation import Credential
from gateway.web.errors import refusal_body

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
_FIELDS_EXAMPLE = {"email": "This field is missing."}
_REQUEST_ID_EXAMPLE = "9f86d081884c7d65"


def refusals_of(route: DescribedRoute) -> Sequence[type[GatewayError]]:
    """Give every refusal that this route can answer, each once."""
    operation = route.operation
    if operation.internal:
        return ()
    refusals: list[type[GatewayError]] = list(operation.refusals)
    if operation.body is not None:
        refusals += _OF_BODIES
    if Credential.ACCESS_TOKEN in operation.credentials:
        refusals += _OF_ACCESS_TOKENS
        if not operation.password_may_be_due:
            refusals.append(PasswordChangeRequired)
    if route.same_origin:
        refusals.append(CrossOrigin)
    refusals.append(Unavailable)
    return tuple(dict.fromkeys(refusals))


def response_of(refusals: Sequence[type[GatewayError]], schema: dict[str, Any]) -> dict[str, Any]:
    """Describe the refusals of one status."""
    return {
        "description": " ".join(dict.fromkeys(refusal.sentence for refusal in refusals)),
        "headers": {**COMMON_HEADERS, **_HEADERS.get(refusals[0].status, {})},
        "content": {
            "application/json": {
                "schema": schema,
                "examples": {refusal.code: {"value": _example(refusal)} for refusal in refusals},
            }
        },
    }


def _example(refusal: type[GatewayError]) -> dict[str, Any]:
    shown = refusal()
    if refusal is InvalidFields:
        shown.fields.update(_FIELDS_EXAMPLE)
    return refusal_body(shown, request_id=_REQUEST_ID_EXAMPLE)
