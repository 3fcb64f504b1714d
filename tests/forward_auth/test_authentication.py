"""Credentials on a check, with a real store behind them."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import jwt
import pytest

from gateway.credentials.access_tokens import AccessTokens
from gateway.errors import GatewayError, InvalidToken, PasswordChangeRequired, TokenExpired, Unauthorized
from gateway.facts.cache import FactsCache
from gateway.forward_auth.authentication import RequestAuthenticator
from gateway.forward_auth.request_headers import collect_headers
from gateway.models import CredentialKind, Principal
from gateway.sessions import SessionLifetimes, Sessions, Visitor
from gateway.storage.database import Database
from tests.support.database import add_account, add_organization
from tests.support.parts import make_revocation
from tests.support.recognition import make_recognition

ISSUER = "https://auth.example.com"
COOKIE = "__Host-gateway_session"
HOUR = timedelta(hours=1)
OTHER_KEY = b"another key of thirty-two bytes!"


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """One person's session, by cookie and by access token."""

    session_id: str
    cookie: str
    jwt: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What a rule that takes every kind of credential looks at."""

    principal: Principal | None
    strip: tuple[str, ...]
    refusal: GatewayError | None = None


class Door:
    """The authenticator with all that it asks, and people who log in."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.sessions = Sessions(database, token_key=b"session key", lifetimes=SessionLifetimes(HOUR, HOUR, HOUR))
        self.tokens = AccessTokens(key=b"token key of thirty-two bytes!!!", issuer=ISSUER, lifetime=HOUR)
        self.facts = FactsCache(database, max_entries=100, max_age=HOUR, outage_grace=HOUR)
        self.revocation = make_revocation(database, self.facts.apply)
        recognition = make_recognition(database, facts=self.facts, sessions=self.sessions, access_tokens=self.tokens)
        self.authenticator = RequestAuthenticator(recognition, cookie_name=COOKIE, basic_credentials=False)

    async def log_in(self, email: str, *, must_change_password: bool = False) -> LoggedIn:
        account = await add_account(self.database, email, must_change_password=must_change_password)
        now = datetime.now(UTC)
        async with self.database.write() as connection:
            session, token = await self.sessions.open(
                connection, account, visitor=Visitor(None, None), remember_me=False, with_second_factor=False, now=now
            )
        signed = self.tokens.sign(subject=account.id, session_id=session.id, now=now, profile={})
        return LoggedIn(session.id, f"{COOKIE}={token}", signed)

    async def ask(self, *lines: tuple[str, str]) -> Seen:
        headers = collect_headers([(name.encode(), value.encode("utf-8", "surrogateescape")) for name, value in lines])
        answer = await self.authenticator.authenticate(headers, client_address=None)
        credential = answer.presented.credential()
        if credential is None:
            return Seen(None, answer.strip)
        return Seen(credential.principal, answer.strip, credential.refusal)


@pytest.fixture
async def door(database: Database) -> AsyncIterator[Door]:
    await add_organization(database)
    door = Door(database)
    yield door
    await door.facts.tail.close()


@pytest.fixture
async def ada(door: Door) -> LoggedIn:
    return await door.log_in("ada@example.com")


@pytest.fixture
async def eve(door: Door) -> LoggedIn:
    return await door.log_in("eve@example.com")


def bearer(token: str) -> tuple[str, str]:
    return "Authorization", f"Bearer {token}"


def who(answer: Seen) -> tuple[str, CredentialKind] | None:
    return None if answer.principal is None else (answer.principal.email, answer.principal.credential)


async def test_stranger_is_nobody(door: Door) -> None:
    assert await door.ask() == Seen(None, ())


async def test_session_cookie_establishes_its_owner(door: Door, ada: LoggedIn) -> None:
    answer = await door.ask(("Cookie", ada.cookie))
    assert who(answer) == ("ada@example.com", CredentialKind.SESSION)
    assert answer.strip == ("cookie",)
    assert answer.refusal is None


async def test_cookie_is_found_among_others_and_over_several_lines(door: Door, ada: LoggedIn) -> None:
    for lines in (
        [("Cookie", f"a=1; {ada.cookie}; b=2")],
        [("Cookie", f"a=1;{ada.cookie}")],
        [("Cookie", "a=1"), ("Cookie", ada.cookie)],
    ):
        assert who(await door.ask(*lines)) == ("ada@example.com", CredentialKind.SESSION)


@pytest.mark.parametrize("form", ["x{}", "{}x", "{}=", "{} ", "{}%20"])
async def test_token_that_differs_by_one_character_is_nobodys(door: Door, ada: LoggedIn, form: str) -> None:
    name, _, token = ada.cookie.partition("=")
    answer = await door.ask(("Cookie", f'{name}="{form.format(token)}"'))
    assert answer == Seen(None, ("cookie",))


@pytest.mark.parametrize("name", ["gateway_session", "__Secure-gateway_session", "__host-gateway_session", "x"])
async def test_cookie_of_another_name_is_not_ours(door: Door, ada: LoggedIn, name: str) -> None:
    """S7: only the name with the prefix that holds the browser to its promise."""
    token = ada.cookie.partition("=")[2]
    assert await door.ask(("Cookie", f"{name}={token}")) == Seen(None, ())


@pytest.mark.parametrize("between", ["; ", ";", None])
async def test_doubled_session_cookie_counts_as_none(
    door: Door, ada: LoggedIn, eve: LoggedIn, between: str | None
) -> None:
    """S7."""
    for first, second in ((ada, eve), (eve, ada), (ada, ada)):
        lines = (
            [("Cookie", first.cookie), ("Cookie", second.cookie)]
            if between is None
            else [("Cookie", f"{first.cookie}{between}{second.cookie}")]
        )
        answer = await door.ask(*lines)
        assert answer == Seen(None, ("cookie",))


@pytest.mark.parametrize("value", ["", "a", "x" * 5000, "caf\udcff", "\u00e9", "a=b=c"])
async def test_cookie_of_any_content_is_refused_quietly(door: Door, value: str) -> None:
    assert await door.ask(("Cookie", f"{COOKIE}={value}")) == Seen(None, ("cookie",))


async def test_access_token_establishes_its_owner(door: Door, ada: LoggedIn) -> None:
    answer = await door.ask(bearer(ada.jwt))
    assert who(answer) == ("ada@example.com", CredentialKind.JWT)
    assert answer.strip == ("authorization",)


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer "])
async def test_scheme_is_compared_without_case(door: Door, ada: LoggedIn, scheme: str) -> None:
    assert who(await door.ask(("Authorization", f"{scheme} {ada.jwt}"))) == ("ada@example.com", CredentialKind.JWT)


async def test_access_token_decides_alone_beside_a_cookie(door: Door, ada: LoggedIn, eve: LoggedIn) -> None:
    answer = await door.ask(("Cookie", ada.cookie), bearer(eve.jwt))
    assert who(answer) == ("eve@example.com", CredentialKind.JWT)
    assert set(answer.strip) == {"cookie", "authorization"}


async def test_bad_token_that_names_us_never_falls_back_to_the_cookie(door: Door, ada: LoggedIn) -> None:
    """J1: whatever its header says."""
    head, payload, signature = ada.jwt.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    bad = (
        f"{head}.{payload}.",
        f"{head}.{payload}.{signature[:-4]}AAAA",
        f"{head}.{payload}.{signature}=",
        f".{payload}.",
        f"!!!.{payload}.{signature}",
        f"{head}.{payload}=.{signature}",
        jwt.encode(claims, "", algorithm="none"),
        jwt.encode(claims, OTHER_KEY, algorithm="HS256", headers={"typ": "at+jwt"}),
        jwt.encode(claims, door.tokens.key, algorithm="HS256"),
        jwt.encode({"iss": ISSUER}, OTHER_KEY),
    )
    for token in bad:
        answer = await door.ask(("Cookie", ada.cookie), bearer(token))
        assert answer.principal is None, token
        assert isinstance(answer.refusal, InvalidToken), token
        assert set(answer.strip) == {"cookie", "authorization"}


async def test_expired_token_says_so_and_does_not_fall_back(door: Door, ada: LoggedIn) -> None:
    old = door.tokens.sign(subject="x", session_id=ada.session_id, now=datetime.now(UTC) - 2 * HOUR, profile={})
    answer = await door.ask(("Cookie", ada.cookie), bearer(old))
    assert answer.principal is None
    assert isinstance(answer.refusal, TokenExpired)


async def test_token_of_another_persons_session_is_refused(door: Door, ada: LoggedIn, eve: LoggedIn) -> None:
    mixed = door.tokens.sign(subject="x", session_id=eve.session_id, now=datetime.now(UTC), profile={})
    answer = await door.ask(("Cookie", ada.cookie), bearer(mixed))
    assert answer.principal is None
    assert isinstance(answer.refusal, Unauthorized)


async def test_token_dies_with_its_session_at_once(door: Door, ada: LoggedIn) -> None:
    """S3, J4."""
    assert who(await door.ask(bearer(ada.jwt)))
    assert who(await door.ask(("Cookie", ada.cookie)))
    await door.revocation.end_session(ada.session_id)
    answer = await door.ask(bearer(ada.jwt))
    assert answer.principal is None
    assert isinstance(answer.refusal, Unauthorized)
    assert await door.ask(("Cookie", ada.cookie)) == Seen(None, ("cookie",))


async def test_two_different_tokens_of_ours_are_refused(door: Door, ada: LoggedIn, eve: LoggedIn) -> None:
    """K2."""
    answer = await door.ask(bearer(ada.jwt), bearer(eve.jwt), ("Cookie", ada.cookie))
    assert answer.principal is None
    assert isinstance(answer.refusal, InvalidToken)


async def test_one_token_on_two_lines_is_one_token(door: Door, ada: LoggedIn) -> None:
    assert who(await door.ask(bearer(ada.jwt), bearer(ada.jwt))) == ("ada@example.com", CredentialKind.JWT)


FOREIGN_TOKENS = (
    "sk-an-applications-own-key",
    "a.b.c",
    "..",
    "",
    "e30.e30.",
    jwt.encode({"iss": "https://login.example.org", "sub": "1"}, OTHER_KEY),
    jwt.encode({"sub": "1", "aud": ISSUER}, OTHER_KEY),
    jwt.encode({"iss": f"{ISSUER}/"}, OTHER_KEY),
)


@pytest.mark.parametrize("token", FOREIGN_TOKENS)
async def test_applications_own_bearer_token_is_ignored_and_passed_on(door: Door, ada: LoggedIn, token: str) -> None:
    answer = await door.ask(("Cookie", ada.cookie), bearer(token))
    assert who(answer) == ("ada@example.com", CredentialKind.SESSION)
    assert answer.strip == ("cookie",)


@pytest.mark.parametrize("value", ["Basic YWRhOnB3", "Digest x", "Bearer", "token", "Bearer\u00a0x"])
async def test_other_schemes_are_not_ours(door: Door, ada: LoggedIn, value: str) -> None:
    answer = await door.ask(("Cookie", ada.cookie), ("Authorization", value))
    assert who(answer) == ("ada@example.com", CredentialKind.SESSION)


async def test_access_token_is_good_nowhere_but_in_its_place(door: Door, ada: LoggedIn) -> None:
    """K2: neither as a cookie nor in another header."""
    assert (await door.ask(("Cookie", f"{COOKIE}={ada.jwt}"))).principal is None
    assert (await door.ask(("X-Authorization", f"Bearer {ada.jwt}"))).principal is None
    assert (await door.ask(("Proxy-Authorization", f"Bearer {ada.jwt}"))).principal is None


async def test_session_token_is_no_bearer_token(door: Door, ada: LoggedIn) -> None:
    """J2: tokens of one purpose are never accepted for another."""
    assert (await door.ask(bearer(ada.cookie.partition("=")[2]))).principal is None


@pytest.mark.parametrize("by", ["cookie", "jwt"])
async def test_handed_over_password_proves_nobody_until_it_is_changed(door: Door, by: str) -> None:
    new = await door.log_in("new@example.com", must_change_password=True)
    answer = await door.ask(("Cookie", new.cookie) if by == "cookie" else bearer(new.jwt))
    assert answer.principal is None
    assert isinstance(answer.refusal, PasswordChangeRequired)
