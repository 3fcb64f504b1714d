"""The cookie that binds a half-finished login to the browser that began it (ASVS 6.6.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from gateway.grammar.cookies import cookie_values


@dataclass(frozen=True, slots=True)
class ChallengeCookie:
    """httpOnly, SameSite=Strict, of the portal's own host: it opens the second-factor step and nothing else."""

    secure: bool
    lifetime: timedelta

    @property
    def name(self) -> str:
        return "__Host-gateway_challenge" if self.secure else "gateway_challenge"

    def read(self, request: web.Request) -> str | None:
        """Give the token, unless the cookie came twice: a sibling host may have planted the second one."""
        values = cookie_values(request.headers.getall("Cookie", ()), self.name)
        return values[0] if len(values) == 1 and values[0] else None

    def set(self, response: web.StreamResponse, token: str) -> None:
        response.set_cookie(
            self.name,
            token,
            max_age=int(self.lifetime.total_seconds()),
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="Strict",
        )

    def clear(self, response: web.StreamResponse) -> None:
        response.del_cookie(self.name, path="/", secure=self.secure, httponly=True, samesite="Strict")
