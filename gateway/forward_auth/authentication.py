"""Credentials on a check → principal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.errors import InvalidToken, PasswordChangeRequired, Unauthorized
from gateway.models import Principal

if TYPE_CHECKING:
    from gateway.forward_auth.request_headers import RequestHeaders
    from gateway.recognition import Recognition

# Far above our own tokens; longer values are not worth a digest.
_MAX_SESSION_TOKEN = 256


@dataclass(frozen=True, slots=True)
class Authenticated:
    """Who is asking (`None`: nobody we know), what held something of ours, and what to say where login is wanted.

    `refusal` is set when a credential that is recognisably ours is bad: it decides alone, and the request is
    anonymous.
    """

    principal: Principal | None
    strip: tuple[str, ...]
    refusal: Unauthorized | None = None


class RequestAuthenticator:
    """Look at the credentials in their places: `Authorization: Bearer`, then the session cookie."""

    def __init__(self, recognition: Recognition, *, cookie_name: str) -> None:
        self._recognition = recognition
        self._cookie_name = cookie_name

    async def authenticate(self, headers: RequestHeaders) -> Authenticated:
        """Establish the principal. What is not ours is ignored and passes on to the application."""
        cookies = _cookies(headers, self._cookie_name)
        strip = ("cookie",) if cookies else ()
        ours = [token for token in _bearer_tokens(headers) if self._recognition.names_us(token)]
        if ours:
            return await self._by_access_tokens(ours, (*strip, "authorization"))
        # A doubled session cookie counts as none: a sibling host may have planted the second one.
        if len(cookies) != 1 or not 0 < len(cookies[0]) <= _MAX_SESSION_TOKEN:
            return Authenticated(None, strip)
        return _established(await self._recognition.by_session_token(cookies[0]), strip)

    async def _by_access_tokens(self, tokens: list[str], strip: tuple[str, ...]) -> Authenticated:
        try:
            if len(tokens) > 1:
                raise InvalidToken
            return _established(await self._recognition.by_access_token(tokens[0]), strip)
        except Unauthorized as refusal:
            return Authenticated(None, strip, refusal)


def _established(principal: Principal | None, strip: tuple[str, ...]) -> Authenticated:
    if principal is not None and principal.must_change_password:
        # Whoever handed the password over knows it too: until it is changed it proves nobody.
        return Authenticated(None, strip, PasswordChangeRequired())
    return Authenticated(principal, strip)


def _cookies(headers: RequestHeaders, name: str) -> list[str]:
    """Give every value of one cookie; several `Cookie` lines are one list."""
    pairs = (pair.strip().partition("=") for line in headers.get("cookie", ()) for pair in line.split(";"))
    return [value for key, _, value in pairs if key == name]


def _bearer_tokens(headers: RequestHeaders) -> list[str]:
    # Blanks and tabs: what an application may read as a bearer token is looked at, too.
    parts = (line.split(maxsplit=1) for line in headers.get("authorization", ()))
    return [part[1].strip() for part in parts if len(part) > 1 and part[0].lower() == "bearer"]
