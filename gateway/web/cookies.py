"""The session cookie."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from gateway.grammar.cookies import cookie_values


@dataclass(frozen=True, slots=True)
class SessionCookie:
    """httpOnly, SameSite=Lax, Path=/, Secure on https; its prefix holds the browser to that (ASVS 3.3)."""

    name: str
    domain: str | None
    secure: bool

    def read(self, request: web.Request) -> str | None:
        """Give the token, unless the cookie came twice: a sibling host may have planted the second one."""
        values = cookie_values(request.headers.getall("Cookie", ()), self.name)
        return values[0] if len(values) == 1 and values[0] else None

    def set(self, response: web.StreamResponse, token: str, *, max_age: timedelta | None) -> None:
        """Hand the token to the browser; without an age it forgets it when it is closed."""
        response.set_cookie(
            self.name,
            token,
            max_age=None if max_age is None else int(max_age.total_seconds()),
            domain=self.domain,
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="Lax",
        )

    def clear(self, response: web.StreamResponse) -> None:
        # A browser ignores the deletion of a prefixed cookie that does not carry the attributes of its prefix.
        response.del_cookie(self.name, domain=self.domain, path="/", secure=self.secure, httponly=True, samesite="Lax")
