"""Refusals: every expected "no" that ends a request, with its status and stable code."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar


class GatewayError(Exception):
    """An expected "no". The class says status, code and title; one middleware answers it."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Internal error"
    sentence: ClassVar[str] = "Something went wrong on our side. Please try again."
    # Some bodies are stated word for word by the API that we follow, and carry no code.
    code_in_body: ClassVar[bool] = True

    def __init__(
        self,
        message: str | None = None,
        *,
        fields: Mapping[str, str] | None = None,
        retry_after: timedelta | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message or self.sentence)
        self.message = message or self.sentence
        self.fields = dict(fields or {})
        self.retry_after = retry_after
        self.headers = dict(headers or {})


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


class InvalidCredentials(GatewayError):
    """Never says which part was wrong, nor whether the account exists."""

    status = 401
    code = "invalid_credentials"
    code_in_body = False
    title = "Invalid credentials"
    sentence = "Email or password is incorrect"


class Unauthorized(GatewayError):
    """No credential, or one that is not good (RFC 6750 section 3)."""

    status = 401
    code = "unauthorized"
    title = "Unauthorized"
    sentence = "Log in first."


class InvalidToken(Unauthorized):
    code = "invalid_token"
    sentence = "This token is not valid."


class InvalidApiKey(Unauthorized):
    """Unknown, malformed, expired, revoked or without an active owner: it is not said which."""

    code = "invalid_api_key"
    sentence = "This API key is not valid."


class TokenExpired(Unauthorized):
    code = "token_expired"
    code_in_body = False
    title = "Token expired"
    sentence = "Your session has expired. Please log in again."


class Forbidden(GatewayError):
    status = 403
    code = "forbidden"
    title = "Forbidden"
    sentence = "You are not allowed to do this."


class MalformedRequest(Forbidden):
    """The original request cannot be read. 403, because nginx knows no 400 in an answer to a check."""

    code = "malformed_request"
    sentence = "The request could not be understood, so it was refused."


class UntrustedPeer(Forbidden):
    code = "untrusted_peer"
    sentence = "Checks are answered for trusted proxies only: add the proxy's address to `trusted_proxies`."


class CrossOrigin(Forbidden):
    code = "cross_origin"
    sentence = "This request came from another site and was refused."


class StaleForm(Forbidden):
    code = "stale_form"
    sentence = "This page had expired. Please try again."


class AnswerTooLarge(Forbidden):
    """What the application should learn does not fit `max_answer_headers`: said instead of cut."""

    code = "answer_too_large"
    sentence = "What is known about this account does not fit into the answer: raise `max_answer_headers`."


class SetupLinkDead(Forbidden):
    code = "setup_link_dead"
    sentence = "This set-up link was used, or is older than 30 minutes. Start the gateway again to get a new one."


class EmailLoginOff(Forbidden):
    code = "email_login_off"
    sentence = "Email login is not allowed."


class PasswordChangeRequired(Unauthorized):
    """The password was handed over by an administrator. A login leads to the page where it is changed."""

    status = 403
    code = "password_change_required"
    title = "Password change required"
    sentence = "Choose a password of your own first."


class SecondFactorRequired(Forbidden):
    """A rule wants a second factor, and this login has none."""

    code = "second_factor_required"
    title = "Second factor required"
    sentence = "This needs a login with a second factor."


class InsufficientScope(Forbidden):
    """A good key outside its scope: known, but not permitted (RFC 6750 section 3.1)."""

    code = "insufficient_scope"
    title = "Insufficient scope"
    sentence = "This API key is limited to something else."


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


class TooManyAttempts(GatewayError):
    """The throttle says no; `retry_after` says until when."""

    status = 429
    code = "too_many_attempts"
    code_in_body = False
    title = "Too many requests"
    sentence = "Too many login attempts. Please try again later."


class DatabaseTooNew(GatewayError):
    """Going back would lose what the newer version added: nothing is touched."""

    code = "database_too_new"
    sentence = "The database was written by a newer gateway: install that version again, or restore a backup."


class Unavailable(GatewayError):
    """Something we need cannot answer now. Nothing falls back to "allow", and no cookie is cleared."""

    status = 503
    code = "unavailable"
    title = "Unavailable"
    sentence = "The gateway cannot answer now. Please try again."

    def __init__(self, message: str | None = None, *, retry_after: timedelta = timedelta(seconds=5)) -> None:
        super().__init__(message, retry_after=retry_after)
