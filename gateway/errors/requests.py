"""Requests that cannot be read, or ask for what is not there."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.errors.base import GatewayError


class MalformedBody(GatewayError):
    status = 400
    code = "malformed_body"
    title = "Bad request"
    sentence = "The body could not be read."


class InvalidFields(GatewayError):
    """A field is missing or breaks its rule; `fields` says which and why."""

    status = 400
    code = "invalid_fields"
    title = "Bad request"
    sentence = "Some fields are missing or not acceptable."


class InvalidRows(InvalidFields):
    """Of a list some rows are not acceptable; `rows` says by their number and field why."""

    def __init__(self, rows: Mapping[int, Mapping[str, str]]) -> None:
        self.rows = rows
        fields = {f"{number}.{field}": reason for number, row in rows.items() for field, reason in row.items()}
        super().__init__(fields=fields)


class InvalidQuery(InvalidFields):
    """The same of parameters in the query."""

    code = "invalid_query"
    sentence = "Some parameters are not acceptable."


class NotFound(GatewayError):
    status = 404
    code = "not_found"
    title = "Not found"
    sentence = "There is nothing here."


class MethodNotAllowed(GatewayError):
    status = 405
    code = "method_not_allowed"
    title = "Method not allowed"
    sentence = "This address does not take that method."


class Conflict(GatewayError):
    """Something like it is already there; the message says what."""

    status = 409
    code = "conflict"
    title = "Conflict"
    sentence = "This is already taken."


class SlowBody(GatewayError):
    status = 408
    code = "slow_body"
    title = "Request timeout"
    sentence = "The body did not arrive in time."


class BodyTooLarge(GatewayError):
    status = 413
    code = "body_too_large"
    title = "Body too large"
    sentence = "A body may have 64 KiB at most."


class UnsupportedMediaType(GatewayError):
    status = 415
    code = "unsupported_media_type"
    title = "Unsupported media type"
    sentence = "This address takes another type of body."
