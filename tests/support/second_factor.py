"""Somebody with an authenticator app: enrols, reads codes at the moment that a test says, finishes logins."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import time_machine
from aiohttp import ClientResponse

from tests.support.gateway import ADMIN_EMAIL, ADMIN_PASSWORD, Gateway, LoggedIn

STEP = timedelta(seconds=30)


@dataclass(slots=True)
class App:
    """What an authenticator app knows, and the recovery codes that were kept beside it."""

    secret: str
    recovery_codes: list[str] = field(default_factory=list)

    @property
    def raw_secret(self) -> bytes:
        return base64.b32decode(self.secret)

    def code(self, *, steps: int = 0) -> str:
        """Read the code of now, or of some steps later or (below 0) earlier."""
        return pyotp.TOTP(self.secret).at(datetime.now(UTC) + steps * STEP)

    def wrong_code(self, number: int = 0) -> str:
        """A code of no step that could count; another one for each number."""
        near = {self.code(steps=steps) for steps in range(-3, 4)}
        return next(code for code in (f"{guess:06}" for guess in range(number, number + 20)) if code not in near)


@contextmanager
def clock_of_codes() -> Iterator[time_machine.Traveller]:
    """Stop the clock in the middle of a step: a test moves it on to the next one when it wants a fresh code."""
    now = datetime.now(UTC).replace(microsecond=0)
    middle = now.timestamp() // STEP.total_seconds() * STEP.total_seconds() + STEP.total_seconds() / 2
    with time_machine.travel(datetime.fromtimestamp(middle, UTC), tick=False) as clock:
        yield clock


async def ask_api(
    gateway: Gateway, path: str, body: dict[str, Any] | None = None, *, session: LoggedIn | None = None, **headers: str
) -> ClientResponse:
    """POST to `/api/auth/2fa/…`, as the session's own program."""
    sent = {**({"Authorization": session.bearer} if session else {}), **headers}
    return await gateway.client.post(f"{gateway.url}/api/auth/2fa/{path}", json=body or {}, headers=sent)


async def begin(gateway: Gateway, session: LoggedIn, **body: Any) -> App:  # noqa: ANN401 - JSON
    """Begin an enrolment."""
    response = await ask_api(gateway, "enable", body, session=session)
    assert response.status == 200, await response.text()
    answer = await response.json()
    return App(answer["secret"], answer["backupCodes"])


@dataclass(frozen=True, slots=True)
class Enrolled:
    """An app that counts, and the session in which it was enrolled."""

    app: App
    session: LoggedIn


async def enrol(gateway: Gateway, email: str = ADMIN_EMAIL, password: str = ADMIN_PASSWORD) -> Enrolled:
    """Log in, and enrol with the code of this moment; it is spent."""
    session = await gateway.session(email, password)
    app = await begin(gateway, session)
    confirmed = await ask_api(gateway, "confirm", {"token": app.code()}, session=session)
    assert confirmed.status == 200, await confirmed.text()
    return Enrolled(app, await go_on(gateway, confirmed))


async def go_on(gateway: Gateway, confirmed: ClientResponse) -> LoggedIn:
    """Refresh with what a confirmed enrolment gave: the access token from before it stands for one factor only."""
    cookie, refresh = confirmed.cookies[gateway.settings.session_cookie_name], confirmed.cookies["refreshToken"]
    headers = {"Cookie": f"{refresh.key}={refresh.value}"}
    refreshed = await gateway.client.post(f"{gateway.url}/api/auth/refresh", headers=headers)
    return LoggedIn(f"{cookie.key}={cookie.value}", (await refreshed.json())["token"])


async def half_log_in(
    gateway: Gateway, email: str = ADMIN_EMAIL, password: str = ADMIN_PASSWORD, **headers: str
) -> str:
    """Give the temp token of a login whose password was right."""
    response = await gateway.log_in(email, password, **headers)
    answer = await response.json()
    assert answer.get("twoFAPending") is True, answer
    token: str = answer["tempToken"]
    return token


async def finish(gateway: Gateway, temp_token: str, code: object, **headers: str) -> ClientResponse:
    return await ask_api(gateway, "verify-temp", {"tempToken": temp_token, "token": code}, session=None, **headers)
