"""The pages' small state: form token, flash message, arrivals at the login page. Sessions are not kept here."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import secrets
import time
from datetime import timedelta

from aiohttp import web
from aiohttp_session import AbstractStorage, Session, SessionData, get_session

from gateway.grammar.cookies import cookie_values

_LIFETIME = timedelta(hours=12)
_MAX_COOKIE = 3800
_FORM_TOKEN = "form_token"  # noqa: S105 - the key's name
_NOTICE = "notice"


class SignedCookieStorage(AbstractStorage):
    """Keep the state in a signed cookie of the portal's own host: nothing to store, to share or to clean.

    It holds nothing secret from its owner; the signature keeps sibling hosts from planting a form token.
    """

    def __init__(self, *, key: bytes, secure: bool) -> None:
        super().__init__(
            cookie_name="__Host-gateway_page" if secure else "gateway_page",
            max_age=None,
            path="/",
            secure=secure,
            httponly=True,
            samesite="Lax",
        )
        self._key = key

    async def load_session(self, request: web.Request) -> Session:
        cookies = cookie_values(request.headers.getall("Cookie", ()), self.cookie_name)
        data = self._open(cookies[0]) if len(cookies) == 1 else None
        return Session(None, data=data, new=data is None, max_age=self.max_age)

    async def save_session(
        self,
        request: web.Request,  # noqa: ARG002 - the library's signature
        response: web.StreamResponse,
        session: Session,
    ) -> None:
        if session.empty:
            self.save_cookie(response, "", max_age=0)
            return
        self.save_cookie(response, self._seal(self._get_session_data(session)))

    def _seal(self, data: SessionData) -> str:
        payload = json.dumps({"at": int(time.time()), "data": data}, separators=(",", ":")).encode()
        # Without padding: a cookie's value that holds "=" is put in quotes, and browsers send those back with it.
        sealed = base64.urlsafe_b64encode(hmac.digest(self._key, payload, "sha256") + payload).rstrip(b"=").decode()
        if len(sealed) > _MAX_COOKIE:
            message = "the page state does not fit into a cookie"
            raise ValueError(message)
        return sealed

    def _open(self, cookie: str) -> SessionData | None:
        try:
            sealed = base64.urlsafe_b64decode(cookie + "=" * (-len(cookie) % 4))
        except (binascii.Error, ValueError):
            return None
        signature, payload = sealed[:32], sealed[32:]
        if not hmac.compare_digest(signature, hmac.digest(self._key, payload, "sha256")):
            return None
        content = json.loads(payload)
        if not 0 <= time.time() - content["at"] < _LIFETIME.total_seconds():
            return None
        data: SessionData = content["data"]
        return data


async def form_token(request: web.Request) -> str:
    """Give the token that this browser's forms carry; made at the first form."""
    state = await get_session(request)
    if _FORM_TOKEN not in state:
        state[_FORM_TOKEN] = secrets.token_urlsafe(16)
    token: str = state[_FORM_TOKEN]
    return token


async def form_token_matches(request: web.Request, given: str) -> bool:
    """Say whether a form came from a page that we gave to this browser (ASVS 3.5.1)."""
    expected = (await get_session(request)).get(_FORM_TOKEN, "")
    return bool(expected) and hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogateescape"))


async def flash(request: web.Request, notice: str) -> None:
    """Leave a message for the next page."""
    (await get_session(request))[_NOTICE] = notice


async def take_notice(request: web.Request) -> str | None:
    """Take the message that the page before left."""
    state = await get_session(request)
    notice: str | None = state.pop(_NOTICE, None) if _NOTICE in state else None
    return notice
