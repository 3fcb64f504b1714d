"""A program that logs in by JSON and goes on by refreshing; it keeps what it was given, as a browser would."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support.gateway import ADMIN_EMAIL, ADMIN_PASSWORD, Gateway, LoggedIn

if TYPE_CHECKING:
    from aiohttp import ClientResponse

REFRESH = "/api/auth/refresh"
SESSION_COOKIE = "gateway_session"
REFRESH_COOKIE = "refreshToken"


@dataclass(slots=True)
class Program:
    """Its access token and the values of its two cookies."""

    gateway: Gateway
    access_token: str
    session_token: str
    refresh_token: str

    @property
    def bearer(self) -> str:
        return f"Bearer {self.access_token}"

    @property
    def session_cookie(self) -> str:
        return f"{SESSION_COOKIE}={self.session_token}"

    @property
    def refresh_cookie(self) -> str:
        return f"{REFRESH_COOKIE}={self.refresh_token}"

    @property
    def session(self) -> LoggedIn:
        return LoggedIn(cookie=self.session_cookie, token=self.access_token)

    async def refresh(self, token: str | None = None, **headers: str) -> ClientResponse:
        """Refresh with its cookie, or with another token; what is answered is not kept."""
        cookie = self.refresh_cookie if token is None else f"{REFRESH_COOKIE}={token}"
        return await self.gateway.ask(REFRESH, method="POST", Cookie=cookie, **headers)

    async def go_on(self) -> str:
        """Refresh, keep what is answered, and give the refresh token that was replaced."""
        old = self.refresh_token
        response = await self.refresh()
        assert response.status == 200, await response.text()
        self.access_token = (await response.json())["token"]
        self.refresh_token = refresh_token_of(response)
        return old

    async def counts(self) -> bool:
        """Say whether the session itself still passes the check."""
        return (await self.gateway.check(Cookie=self.session_cookie)).status == 200


async def log_in_program(
    gateway: Gateway, email: str = ADMIN_EMAIL, password: str = ADMIN_PASSWORD, **headers: str
) -> Program:
    response = await gateway.log_in(email, password, **headers)
    assert response.status == 200, await response.text()
    return Program(
        gateway,
        access_token=(await response.json())["token"],
        session_token=response.cookies[gateway.settings.session_cookie_name].value,
        refresh_token=refresh_token_of(response),
    )


def refresh_token_of(response: ClientResponse) -> str:
    return response.cookies[REFRESH_COOKIE].value


def cleared_cookies(response: ClientResponse) -> set[str]:
    return {name for name, cookie in response.cookies.items() if cookie["max-age"] == "0"}
