"""What a browser or a program gets once somebody is logged in: cookies, and for programs an access token."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from gateway.credentials.access_tokens import AccessTokens
    from gateway.models import Account, RefreshToken, Session
    from gateway.sessions import LoggedIn
    from gateway.web.cookies import SessionCookie
    from gateway.web.known_device import KnownDeviceCookie
    from gateway.web.profile import Profiles
    from gateway.web.refresh_cookie import RefreshCookie


@dataclass(frozen=True, slots=True)
class LoginAnswers:
    """Made once; every way to log in, to go on and to log out answers through it."""

    cookie: SessionCookie
    refresh_cookie: RefreshCookie
    device_cookie: KnownDeviceCookie
    access_tokens: AccessTokens
    profiles: Profiles

    def as_json(self, logged_in: LoggedIn) -> web.Response:
        """Answer `{token, user}`, with the cookies."""
        response = self._token_and_user(logged_in.account, logged_in.session)
        self.set_cookie(response, logged_in)
        return response

    def as_access_token(self, logged_in: LoggedIn) -> web.Response:
        """Answer the access token alone (RFC 6749 section 5.1), and set no cookie."""
        return web.json_response(
            {
                "access_token": self._sign(logged_in.account, logged_in.session),
                "token_type": "bearer",
                "expires_in": int(self.access_tokens.lifetime.total_seconds()),
            }
        )

    def refreshed(self, account: Account, session: Session, refresh_token: RefreshToken) -> web.Response:
        """Answer `{token, user}` for a session that goes on: its own cookie stays as it is."""
        response = self._token_and_user(account, session)
        self.refresh_cookie.set(response, refresh_token)
        return response

    def set_cookie(self, response: web.Response, logged_in: LoggedIn) -> None:
        """Hand the session's token to the browser, for as long as the person wants to be remembered.

        The refresh token goes with it, where there is one.
        """
        self.cookie.set(response, logged_in.token, max_age=_age_of_cookie(logged_in.session))
        if logged_in.refresh_token is not None:
            self.refresh_cookie.set(response, logged_in.refresh_token)
        if logged_in.device is not None:
            self.device_cookie.set(response, logged_in.device)

    def clear_cookies(self, response: web.Response) -> None:
        self.cookie.clear(response)
        self.refresh_cookie.clear(response)

    def _token_and_user(self, account: Account, session: Session) -> web.Response:
        return web.json_response({"token": self._sign(account, session), "user": self.profiles.user(account)})

    def _sign(self, account: Account, session: Session) -> str:
        return self.access_tokens.sign(
            subject=account.id,
            session_id=session.id,
            now=datetime.now(UTC),
            profile=self.profiles.claims(account),
            level=session.level,
        )


def _age_of_cookie(session: Session) -> timedelta | None:
    """Give what is left of a session that is remembered: a cookie given later must not end later."""
    if not session.remembered:
        return None
    return timedelta(seconds=math.ceil((session.expires_at - datetime.now(UTC)).total_seconds()))
