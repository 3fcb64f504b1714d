"""The cookie of the refresh token."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web

from gateway.errors import RefreshRefused
from gateway.grammar.cookies import cookie_values
from gateway.models import RefreshToken

# LibreChat's name, so that its clients find it. No prefix: `__Host-` would ask for Path=/, and pages need it nowhere.
_NAME = "refreshToken"
_PATH = "/api/auth"
# Each copy is looked up; a browser has a few, and a header has room for hundreds.
_MOST_COPIES = 50


@dataclass(frozen=True, slots=True)
class RefreshCookie:
    """httpOnly, SameSite=Strict, of the portal's host only, sent to `/api/auth` only."""

    secure: bool

    def read(self, request: web.Request) -> str | None:
        """Give the token; equal copies count as one. Raises `RefreshRefused` for different ones.

        A sibling host may have planted one of them: it must not choose whose session goes on (RFC 6265bis section 8.6).
        """
        tokens = self.read_all(request)
        if len(tokens) > 1:
            raise RefreshRefused
        return tokens.pop() if tokens else None

    def read_all(self, request: web.Request) -> set[str]:
        """Give every token that came: logging out ends whatever is there."""
        return set(cookie_values(request.headers.getall("Cookie", ()), _NAME)[:_MOST_COPIES]) - {""}

    def set(self, response: web.StreamResponse, refresh_token: RefreshToken) -> None:
        """Hand the token to the client for as long as it can be good."""
        left = refresh_token.expires_at - datetime.now(UTC)
        response.set_cookie(
            _NAME,
            refresh_token.token,
            max_age=math.ceil(left.total_seconds()),
            path=_PATH,
            secure=self.secure,
            httponly=True,
            samesite="Strict",
        )

    def clear(self, response: web.StreamResponse) -> None:
        response.del_cookie(_NAME, path=_PATH, secure=self.secure, httponly=True, samesite="Strict")
