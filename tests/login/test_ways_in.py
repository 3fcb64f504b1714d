"""Every way in, for an account in every state: one table without a hole."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyotp
import pytest
from aiohttp import ClientResponse

from gateway.commands.store import make_revocation
from gateway.models import Account
from gateway.revocation import Revocation
from gateway.storage.accounts import find_account_by_email
from gateway.storage.banned_addresses import BannedAddress, ban_address
from gateway.storage.database import Database
from tests.support.forms import Person, hidden_fields
from tests.support.gateway import Gateway, start_gateway
from tests.support.newcomers import (
    EMAIL,
    NEW_PASSWORD,
    PASSWORD,
    mailed_link,
    newcomer,
    open_door,
    post,
    query_of,
    request_reset,
    rows,
)
from tests.support.parts import disable, hand_over_password
from tests.support.refreshing import Program, log_in_program

ADDRESS = "198.51.100.7"
FROM = {"X-Forwarded-For": ADDRESS}


class Ada:
    """An account with one credential of each kind, made while nothing was amiss."""

    def __init__(self, gateway: Gateway, database: Database) -> None:
        self.gateway = gateway
        self.database = database
        self.revocation: Revocation = make_revocation(gateway.settings, database)
        self.program: Program
        self.api_key = ""
        self.reset_link = ""

    async def account(self) -> Account:
        async with self.database.read() as connection:
            found = await find_account_by_email(connection, EMAIL)
        assert found is not None
        return found

    async def prepare(self) -> None:
        await newcomer(self.gateway)
        # By another login: what is tried later must not be known already, for a revocation may take a second.
        other = await self.gateway.session(EMAIL, PASSWORD)
        made = await post(self.gateway, "/api/api-keys", {"name": "report"}, Authorization=other.bearer)
        assert made.status == 201, await made.text()
        self.program = await log_in_program(self.gateway, EMAIL, PASSWORD)
        self.api_key = (await made.json())["key"]
        assert (await request_reset(self.gateway)).status == 200
        self.reset_link = await mailed_link(self.gateway, subject="reset")


# What befalls her.


async def nothing(_ada: Ada) -> None:
    """Leave everything as it is."""


async def second_factor(ada: Ada) -> None:
    """Enrol in the session whose credentials are tried: it goes on with two factors."""
    begun = await post(ada.gateway, "/api/auth/2fa/enable", {}, Authorization=ada.program.bearer)
    code = pyotp.TOTP((await begun.json())["secret"]).now()
    answer = await post(ada.gateway, "/api/auth/2fa/confirm", {"token": code}, Authorization=ada.program.bearer)
    assert answer.status == 200, await answer.text()
    ada.program.session_token = answer.cookies["gateway_session"].value
    if "refreshToken" in answer.cookies:
        ada.program.refresh_token = answer.cookies["refreshToken"].value


async def disabled(ada: Ada) -> None:
    await disable(ada.revocation, await ada.account())


async def unverified(ada: Ada) -> None:
    await rows(ada.gateway, "UPDATE accounts SET email_verified = 0 WHERE email = ?", EMAIL)


async def banned(ada: Ada) -> None:
    account = await ada.account()
    await ada.revocation.ban(account, until=datetime.now(UTC) + timedelta(days=1), reason="test")


async def banned_address(ada: Ada) -> None:
    async with ada.database.write() as connection:
        await ban_address(connection, BannedAddress(ADDRESS, "test", datetime.now(UTC), None))


async def password_due(ada: Ada) -> None:
    """Let an administrator hand over the very same password, and log in with it once more."""
    account = await ada.account()
    assert account.password_hash is not None
    await hand_over_password(ada.revocation, account, password_hash=account.password_hash, must_change=True)
    ada.program = await log_in_program(ada.gateway, EMAIL, PASSWORD)
    await rows(ada.gateway, "UPDATE accounts SET must_change_password = 0 WHERE email = ?", EMAIL)
    assert (await request_reset(ada.gateway)).status == 200
    ada.reset_link = await mailed_link(ada.gateway, subject="reset", number=2)
    await rows(ada.gateway, "UPDATE accounts SET must_change_password = 1 WHERE email = ?", EMAIL)


# The ways in.


async def page(ada: Ada) -> str:
    person = Person(ada.gateway)
    hidden = hidden_fields(await (await person.open("/login")).text())
    answer = await person.post("/login", {**hidden, "email": EMAIL, "password": PASSWORD}, **FROM)
    return f"{answer.status} {answer.headers.get('Location', '')}".strip()


async def api(ada: Ada) -> str:
    return await _login(ada, PASSWORD)


async def refresh(ada: Ada) -> str:
    return str((await ada.program.refresh(**FROM)).status)


async def session(ada: Ada) -> str:
    return str((await ada.gateway.check(Cookie=ada.program.session_cookie, **FROM)).status)


async def access_token(ada: Ada) -> str:
    return await _reason(await ada.gateway.check(Authorization=ada.program.bearer, **FROM))


async def basic(ada: Ada) -> str:
    pair = base64.b64encode(f"{EMAIL}:{PASSWORD}".encode()).decode()
    return await _reason(await ada.gateway.check(Authorization=f"Basic {pair}", **FROM))


async def api_key(ada: Ada) -> str:
    return await _reason(await ada.gateway.check(**{"X-API-Key": ada.api_key}, **FROM))


async def reset_request(ada: Ada) -> str:
    """Say whether a letter went out: the answer never does."""
    query = "SELECT count(*) FROM audit_events WHERE kind = 'password_reset_requested' AND succeeded"
    [(before,)] = await rows(ada.gateway, query)
    answer = await post(ada.gateway, "/api/auth/requestPasswordReset", {"email": EMAIL}, **FROM)
    [(after,)] = await rows(ada.gateway, query)
    return f"{answer.status} {'mailed' if after > before else 'not mailed'}"


async def reset_link(ada: Ada) -> str:
    """Use the link that was mailed before, and log in with the new password."""
    body = {**query_of(ada.reset_link), "password": NEW_PASSWORD}
    answer = await post(ada.gateway, "/api/auth/resetPassword", body, **FROM)
    return f"{answer.status}, then {await _login(ada, NEW_PASSWORD)}"


async def _login(ada: Ada, password: str) -> str:
    answer = await ada.gateway.log_in(EMAIL, password, **FROM)
    body = await answer.json()
    if answer.status != 200:
        return f"{answer.status} {body['message']}"
    if "twoFAPending" in body:
        assert not answer.cookies
        return "200 second factor"
    return "200 password due" if body["user"]["mustChangePassword"] else "200"


async def _reason(answer: ClientResponse) -> str:
    return f"{answer.status} {answer.headers.get('X-Auth-Reason', '')}".strip()


WRONG = "401 Email or password is incorrect"
BANNED = "403 Your account has been temporarily banned due to violations of our service."
UNVERIFIED = "422 Email not verified."
LINK_DEAD = "400"

WAYS: tuple[Callable[[Ada], Awaitable[str]], ...] = (
    page,
    api,
    refresh,
    session,
    access_token,
    basic,
    api_key,
    reset_link,
    # Last, for a new link ends the one before.
    reset_request,
)
# In the order of the ways.
TABLE: dict[Callable[[Ada], Awaitable[None]], tuple[str, ...]] = {
    nothing: ("303 /", "200", "200", "200", "200", "200", "200", "200, then 200", "200 mailed"),
    second_factor: (
        "303 /login/second-factor",
        "200 second factor",
        "200",
        "200",
        "200",
        # A password alone is not enough anywhere; a key is a credential of its own.
        "401 second_factor_required",
        "200",
        "200, then 200 second factor",
        "200 mailed",
    ),
    disabled: (
        "401",
        WRONG,
        "403",
        "401",
        "401 token_expired",
        "401 invalid_credentials",
        "401 invalid_api_key",
        f"{LINK_DEAD}, then {WRONG}",
        "200 not mailed",
    ),
    # Whoever got credentials was let in then; a reset proves the mailbox.
    unverified: (
        "422",
        UNVERIFIED,
        "200",
        "200",
        "200",
        "401 email_not_verified",
        "200",
        "200, then 200",
        "200 mailed",
    ),
    banned: (
        "403",
        BANNED,
        "403",
        "401",
        "401 token_expired",
        "403 banned",
        "401 invalid_api_key",
        f"{LINK_DEAD}, then {WRONG}",
        "200 not mailed",
    ),
    # Only paths that take a secret that could be guessed are closed to an address.
    banned_address: ("403", BANNED, "200", "200", "200", "403 banned", "200", f"403, then {BANNED}", "403 not mailed"),
    password_due: (
        "303 /change-password",
        "200 password due",
        "403",
        "401",
        "401 password_change_required",
        "401 password_change_required",
        "401 password_change_required",
        "200, then 200",
        "200 mailed",
    ),
}


@asynccontextmanager
async def ada_at_the_door(tmp_path: Path) -> AsyncIterator[Ada]:
    environ = open_door(tmp_path, GATEWAY_BASIC_CREDENTIALS="true")
    async with start_gateway(environ) as gateway:
        database = Database.open(gateway.settings.database)
        try:
            ada = Ada(gateway, database)
            await ada.prepare()
            yield ada
        finally:
            await database.close()


@pytest.mark.parametrize("fate", TABLE, ids=lambda fate: fate.__name__)
async def test_ways_in(fate: Callable[[Ada], Awaitable[None]], tmp_path: Path) -> None:
    """M5, L7, S3, S8, J6."""
    async with ada_at_the_door(tmp_path) as ada:
        await fate(ada)
        seen = {way.__name__: await way(ada) for way in WAYS}
    assert seen == dict(zip((way.__name__ for way in WAYS), TABLE[fate], strict=True))
