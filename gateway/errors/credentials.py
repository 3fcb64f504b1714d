"""Credentials that are missing, wrong, used up or tried too often."""

from __future__ import annotations

from gateway.errors.base import GatewayError


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


class PasswordChangeRequired(Unauthorized):
    """The password was handed over by an administrator. A login leads to the page where it is changed."""

    status = 403
    code = "password_change_required"
    title = "Password change required"
    sentence = "Choose a password of your own first."


class TooManyAttempts(GatewayError):
    """The throttle says no; `retry_after` says until when."""

    status = 429
    code = "too_many_attempts"
    code_in_body = False
    title = "Too many requests"
    sentence = "Too many login attempts. Please try again later."


class RefreshRefused(GatewayError):
    """No refresh token, or one that is not good. Not 401: web clients of the auth API hang on a 401 here."""

    status = 403
    code = "invalid_refresh_token"
    code_in_body = False
    title = "Token expired"
    sentence = "Your session has expired. Please log in again."
    detail = "Invalid refresh token"


class ChallengeExpired(Unauthorized):
    """The half-finished login is over: too old, finished, or too many wrong codes."""

    code = "challenge_expired"
    sentence = "This login has expired. Please log in again."


class InvalidCode(GatewayError):
    """A code of the second factor that is wrong or was used before."""

    status = 401
    code = "invalid_code"
    title = "Invalid code"
    sentence = "This code is not right, or was used before."


class SecondFactorWanted(GatewayError):
    """The password was right, and this way in has no place for the second factor."""

    status = 401
    code = "second_factor_required"
    title = "Second factor required"
    sentence = "This account has a second factor: log in with `POST /api/auth/login`, which asks for it."


class SecondFactorNotSetUp(GatewayError):
    status = 400
    code = "second_factor_not_set_up"
    title = "Bad request"
    sentence = "Two-factor authentication is not set up."


class LinkDead(GatewayError):
    """A mailed link that is unknown, too old, used, or replaced by a newer one: it is not said which."""

    status = 400
    code = "link_dead"
    title = "Bad request"
    sentence = "This link is not valid any more. Ask for a new one."


class EmailNotVerified(GatewayError):
    """Only ever said after the password was right."""

    status = 422
    code = "email_not_verified"
    # LibreChat's page shows a code instead of the message, and offers a new letter only where it reads the latter.
    code_in_body = False
    title = "Email not verified"
    sentence = "Email not verified."
