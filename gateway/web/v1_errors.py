"""How a refusal reads under `/api/v1`: as everywhere, and with the `detail` that LangSmith's clients look for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.errors import InvalidFields, InvalidQuery

if TYPE_CHECKING:
    from gateway.errors import GatewayError

_PREFIX = "/api/v1/"
_UNPROCESSABLE = 422


def is_v1(path: str) -> bool:
    return path.startswith(_PREFIX)


def v1_status(refusal: type[GatewayError]) -> int:
    """Give the status: fields that are not acceptable are 422 here, as FastAPI has it."""
    return _UNPROCESSABLE if issubclass(refusal, InvalidFields) else refusal.status


def v1_detail(refusal: GatewayError) -> str | list[dict[str, Any]]:
    """Give the sentence, or what is wrong with each field. A field of a list's row is named `3.email`."""
    if not isinstance(refusal, InvalidFields):
        return refusal.message
    place = "query" if isinstance(refusal, InvalidQuery) else "body"
    return [
        {"loc": [place, *_location(field)], "msg": reason, "type": "value_error"}
        for field, reason in refusal.fields.items()
    ]


def _location(field: str) -> list[str | int]:
    return [int(part) if part.isdecimal() else part for part in field.split(".") if part]
