"""Logging in and out by JSON."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from http import HTTPStatus

import pytest
import time_machine

from tests.support.gateway import ADMIN_EMAIL, ADMIN_PASSWORD, Gateway, environment, start_gateway
from tests.support.tokens import claims_of


async def test_right_password_gives_token_user_and_cookie(gateway: Gateway) -> None:
    response = await gateway.log_in()
    body = await response.json()
    assert response.status == HTTPStatus.OK
    assert set(body) == {"token", "user"}
    assert body["user"]["email"] == ADMIN_EMAIL
    assert body["user"]["role"] == "admin"
    assert body["user"]["_id"] == body["user"]["id"]
    cookie = response.cookies["gateway_session"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    assert not cookie["max-age"], "without remember me the browser forgets it when it is closed"


async def test_access_token_says_who_and_until_when(gateway: Gateway) -> None:
    claims = claims_of((await gateway.session()).token)
    assert {"iss", "aud", "sub", "sid", "jti", "iat", "exp", "email", "name", "role"} <= set(claims)
    assert claims["exp"] - claims["iat"] == 15 * 60


async def test_remember_me_makes_the_cookie_last_thirty_days(gateway: Gateway) -> None:
    body = {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD, "rememberMe": True}
    response = await gateway.client.post(f"{gateway.url}/api/auth/login", json=body)
    assert response.cookies["gateway_session"]["max-age"] == str(30 * 24 * 3600)


async def test_email_counts_in_any_spelling(gateway: Gateway) -> None:
    assert (await gateway.log_in("  ADMIN@Example.COM ")).status == HTTPStatus.OK


async def test_wrong_password_and_unknown_account_are_told_the_same(gateway: Gateway) -> None:
    """L7."""
    wrong, unknown = await gateway.log_in(password="no"), await gateway.log_in("nobody@example.com", "no")
    assert wrong.status == unknown.status == HTTPStatus.UNAUTHORIZED
    assert await wrong.json() == {"error": "Invalid credentials", "message": "Email or password is incorrect"}
    assert await wrong.read() == await unknown.read()
    assert _names(wrong.headers) == _names(unknown.headers)
    assert not wrong.cookies


def _names(headers: object) -> list[str]:
    return sorted(headers)  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "email"),
        ({"email": ADMIN_EMAIL}, "password"),
        ({"email": "no address", "password": "x"}, "email"),
        ({"email": ADMIN_EMAIL, "password": ""}, "password"),
        ({"email": ADMIN_EMAIL, "password": 5}, "password"),
        ({"email": ["a@b"], "password": "x"}, "email"),
        ({"email": "nul\x00@example.com", "password": "x"}, "email"),
        ({"email": ADMIN_EMAIL, "password": "nul\x00"}, "password"),
        ({"email": ADMIN_EMAIL, "password": "x", "rememberMe": "perhaps"}, "rememberMe"),
    ],
)
async def test_a_field_that_is_missing_or_malformed_is_named(
    gateway: Gateway, body: dict[str, object], field: str
) -> None:
    response = await gateway.client.post(f"{gateway.url}/api/auth/login", json=body)
    assert response.status == HTTPStatus.BAD_REQUEST
    assert field in (await response.json())["fields"]


@pytest.mark.parametrize(
    ("raw", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'"text"', "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"email": "\\ud800@example.com", "password": "x"}', "application/json", 400),
        (b"[" * 50_000, "application/json", 400),
        (b"", "text/plain", 400),
        (b"{}", "text/plain", 415),
        (b" " * (1024 * 1024), "application/json", 413),
    ],
)
async def test_bad_bodies_are_refused_and_never_an_error_of_ours(
    gateway: Gateway, raw: bytes, content_type: str, status: int
) -> None:
    response = await gateway.client.post(
        f"{gateway.url}/api/auth/login", data=raw, headers={"Content-Type": content_type}
    )
    assert response.status == status
    assert {"error", "message"} <= set(await response.json())


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:8080"},
    ],
)
async def test_another_sites_page_can_neither_log_in_nor_out(gateway: Gateway, headers: dict[str, str]) -> None:
    """S9."""
    assert (await gateway.log_in(**headers)).status == HTTPStatus.FORBIDDEN
    session = await gateway.session()
    refused = await gateway.client.post(f"{gateway.url}/api/auth/logout", headers={"Cookie": session.cookie, **headers})
    assert refused.status == HTTPStatus.FORBIDDEN
    assert (await gateway.check(Cookie=session.cookie)).status == HTTPStatus.OK


async def test_our_own_page_may_log_in(gateway: Gateway) -> None:
    response = await gateway.log_in(**{"Sec-Fetch-Site": "same-origin", "Origin": gateway.settings.public_url})
    assert response.status == HTTPStatus.OK


@pytest.mark.parametrize("by", ["cookie", "bearer", "both"])
async def test_logout_ends_the_session_and_its_token(gateway: Gateway, by: str) -> None:
    """S3."""
    session = await gateway.session()
    credentials = {"Cookie": session.cookie, "Authorization": session.bearer}
    sent = {"cookie": ["Cookie"], "bearer": ["Authorization"], "both": ["Cookie", "Authorization"]}[by]
    response = await gateway.client.post(
        f"{gateway.url}/api/auth/logout", headers={name: credentials[name] for name in sent}
    )
    assert response.status == HTTPStatus.OK
    assert await response.json() == {"message": "Logout successful"}
    assert response.cookies["gateway_session"]["max-age"] == "0"
    assert (await gateway.check(Cookie=session.cookie)).status == HTTPStatus.UNAUTHORIZED
    assert (await gateway.check(Authorization=session.bearer)).status == HTTPStatus.UNAUTHORIZED
    assert (await gateway.ask("/api/user", Authorization=session.bearer)).status == HTTPStatus.UNAUTHORIZED


async def test_logout_without_a_credential_is_refused(gateway: Gateway) -> None:
    response = await gateway.ask("/api/auth/logout", method="POST")
    assert response.status == HTTPStatus.UNAUTHORIZED
    assert response.headers["WWW-Authenticate"] == "Bearer"


async def test_each_login_gives_a_new_token_and_the_one_before_is_dead(gateway: Gateway) -> None:
    """S2."""
    before = await gateway.session()
    response = await gateway.log_in(Cookie=before.cookie)
    after = response.cookies["gateway_session"].value
    assert after not in before.cookie
    assert (await gateway.check(Cookie=before.cookie)).status == HTTPStatus.UNAUTHORIZED
    assert (await gateway.check(Cookie=f"gateway_session={after}")).status == HTTPStatus.OK


async def test_fifth_failure_pauses_the_account_for_the_right_password_too(gateway: Gateway) -> None:
    """L6."""
    for _ in range(5):
        assert (await gateway.log_in(password="no")).status == HTTPStatus.UNAUTHORIZED
    response = await gateway.log_in()
    assert response.status == HTTPStatus.TOO_MANY_REQUESTS
    assert await response.json() == {
        "error": "Too many requests",
        "message": "Too many login attempts. Please try again later.",
    }
    assert int(response.headers["Retry-After"]) >= 1
    assert {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"} <= set(response.headers)


async def test_unknown_accounts_pause_alike(gateway: Gateway) -> None:
    """L7."""
    statuses = [(await gateway.log_in("nobody@example.com", "no")).status for _ in range(6)]
    assert statuses == [401] * 5 + [429]


@pytest.mark.both_databases
@pytest.mark.usefixtures("gateways_database")
async def test_of_many_wrong_passwords_at_once_five_are_answered(gateway: Gateway) -> None:
    """L6, N1: those overtaken by the others' failures learn nothing."""
    # The clock stands still, so that the pause does not end while slow machines are still counting.
    with time_machine.travel(datetime.now(UTC), tick=False):
        attempts = [gateway.log_in(password=f"guess {number}") for number in range(30)]
        statuses = [response.status for response in await asyncio.gather(*attempts)]
    assert sorted(statuses) == [401] * 5 + [429] * 25


@pytest.mark.both_databases
@pytest.mark.usefixtures("gateways_database")
async def test_many_right_passwords_at_once_all_pass(gateway: Gateway) -> None:
    responses = await asyncio.gather(*[gateway.log_in() for _ in range(20)])
    assert {response.status for response in responses} == {200}


async def test_an_address_may_fail_seven_times(tmp_path_factory: pytest.TempPathFactory) -> None:
    environ = environment(tmp_path_factory.mktemp("limits"), LOGIN_MAX="7")
    async with start_gateway(environ) as gateway:
        statuses = [(await gateway.log_in(f"nobody{number}@example.com", "no")).status for number in range(8)]
        assert statuses == [401] * 7 + [429]
        assert (await gateway.log_in()).status == HTTPStatus.TOO_MANY_REQUESTS
        elsewhere = await gateway.log_in(**{"X-Forwarded-For": "203.0.113.9"})
        assert elsewhere.status == HTTPStatus.OK, "another address is not held back"


async def test_successes_do_not_count_against_an_address(tmp_path_factory: pytest.TempPathFactory) -> None:
    environ = environment(tmp_path_factory.mktemp("limits"), LOGIN_MAX="2")
    async with start_gateway(environ) as gateway:
        for _ in range(5):
            assert (await gateway.log_in()).status == HTTPStatus.OK


async def test_email_login_can_be_switched_off(tmp_path_factory: pytest.TempPathFactory) -> None:
    environ = environment(tmp_path_factory.mktemp("off"), ALLOW_EMAIL_LOGIN="false")
    async with start_gateway(environ) as gateway:
        response = await gateway.log_in()
        assert response.status == HTTPStatus.FORBIDDEN
        assert (await response.json())["message"] == "Email login is not allowed."


async def test_https_portal_sends_a_secure_cookie_with_the_host_prefix(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """S6."""
    environ = environment(tmp_path_factory.mktemp("https"), GATEWAY_PUBLIC_URL="https://auth.example.com")
    async with start_gateway(environ) as gateway:
        cookie = (await gateway.log_in()).cookies["__Host-gateway_session"]
        assert cookie["secure"]
        assert not cookie["domain"]


async def test_cookie_domain_reaches_the_applications_below_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    """S6."""
    environ = environment(
        tmp_path_factory.mktemp("domain"),
        GATEWAY_PUBLIC_URL="https://auth.example.com",
        GATEWAY_COOKIE_DOMAIN="example.com",
    )
    async with start_gateway(environ) as gateway:
        cookie = (await gateway.log_in()).cookies["__Secure-gateway_session"]
        assert cookie["domain"] == "example.com"
        assert cookie["secure"]
