"""Registering by JSON."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from gateway.storage.banned_addresses import BannedAddress, ban_address
from gateway.storage.database import Database
from tests.support.gateway import ADMIN_EMAIL, ADMIN_PASSWORD, PUBLIC_URL, Gateway, environment, start_gateway
from tests.support.letters import text_of
from tests.support.newcomers import (
    EMAIL,
    NEW_PASSWORD,
    PASSWORD,
    REGISTERED,
    mailed_link,
    newcomer,
    open_door,
    post,
    query_of,
    register,
    rows,
    verify,
)
from tests.support.outbox import letters_in, read_letter


async def test_newcomer_registers_verifies_and_logs_in(door: Gateway) -> None:
    response = await register(door, username="Ada L")
    assert response.status == HTTPStatus.OK
    assert await response.json() == REGISTERED
    assert not response.cookies, "nobody is logged in by it"
    early = await door.log_in(EMAIL, PASSWORD)
    assert early.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert await early.json() == {"error": "Email not verified", "message": "Email not verified."}

    link = await mailed_link(door)
    assert link.startswith(f"{PUBLIC_URL}/verify?token=")
    assert query_of(link)["email"] == EMAIL
    verified = await verify(door, link)
    assert verified.status == HTTPStatus.OK
    assert await verified.json() == {"message": "Email verification was successful", "status": "success"}
    user = (await (await door.log_in(EMAIL, PASSWORD)).json())["user"]
    assert (user["email"], user["name"], user["username"], user["role"]) == (EMAIL, "Ada", "ada l", "user")
    assert user["emailVerified"]
    assert not user["mustChangePassword"]


async def test_username_may_be_left_out_or_empty(door: Gateway) -> None:
    for number, username in enumerate((None, "", "  ")):
        assert (await register(door, f"ada{number}@example.com", username=username)).status == HTTPStatus.OK
    assert await rows(door, "SELECT count(*) FROM accounts WHERE username IS NULL AND email LIKE 'ada%'") == [(3,)]


async def test_known_address_gets_the_same_answer_and_its_owner_a_letter(door: Gateway) -> None:
    """L7."""
    before = await rows(door, "SELECT password_hash, name, username FROM accounts WHERE email = ?", ADMIN_EMAIL)
    known = await register(door, f" {ADMIN_EMAIL.upper()} ", name="Mallory", username="mallory")
    unknown = await register(door, username="ada")
    assert known.status == unknown.status == HTTPStatus.OK
    assert await known.read() == await unknown.read()
    assert sorted(known.headers) == sorted(unknown.headers)
    letter = await read_letter(door.settings.data_dir, to=ADMIN_EMAIL)
    assert f"{PUBLIC_URL}/login" in text_of(letter)
    assert f"{PUBLIC_URL}/forgot-password" in text_of(letter)
    assert "token=" not in text_of(letter)
    assert "Mallory" not in text_of(letter)
    assert await rows(door, "SELECT password_hash, name, username FROM accounts WHERE email = ?", ADMIN_EMAIL) == before
    assert (await door.log_in(ADMIN_EMAIL, ADMIN_PASSWORD)).status == HTTPStatus.OK


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"email": "no address"}, "email"),
        ({"email": ["ada@example.com"]}, "email"),
        ({"name": ""}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"name": None}, "name"),
        ({"username": "x" * 81}, "username"),
        ({"username": "ada@example.com"}, "username"),
        ({"username": "a\u200bda"}, "username"),
        ({"username": "\u0430da"}, "username"),
        ({"username": "Admin"}, "username"),
        ({"username": 5}, "username"),
        ({"password": ""}, "password"),
        ({"password": 12345678}, "password"),
        ({"password": "seven77"}, "password"),
        ({"password": "        "}, "password"),
        ({"password": "x" * 129}, "password"),
        ({"password": "x" * 2000}, "password"),
        ({"password": "Password1"}, "password"),
        ({"password": "iloveyou1"}, "password"),
        ({"password": "my-gateway-41"}, "password"),
        ({"email": "lovelace@example.com", "password": "xLOVELACEx1"}, "password"),
        ({"confirm_password": "another-one"}, "confirm_password"),
        ({"confirm_password": 5}, "confirm_password"),
    ],
)
async def test_a_broken_rule_is_named(door: Gateway, more: dict[str, Any], field: str) -> None:
    """L3, L11."""
    response = await post(door, "/api/auth/register", {"email": EMAIL, "password": PASSWORD, "name": "Ada", **more})
    assert response.status == HTTPStatus.BAD_REQUEST
    assert list((await response.json())["fields"]) == [field]
    assert await rows(door, "SELECT count(*) FROM accounts WHERE email LIKE '%a%e@example.com'") == [(0,)]


@pytest.mark.parametrize("left_out", ["email", "password", "name"])
async def test_a_missing_field_is_named(door: Gateway, left_out: str) -> None:
    body = {"email": EMAIL, "password": PASSWORD, "name": "Ada"}
    del body[left_out]
    response = await post(door, "/api/auth/register", body)
    assert response.status == HTTPStatus.BAD_REQUEST
    assert list((await response.json())["fields"]) == [left_out]


@pytest.mark.parametrize(
    "email",
    [
        "ada@example.com\r\nBcc: eve@example.com",
        "ada@example.com\n",
        "ada@example.com@evil.example",
        "ada,eve@example.com",
        '"ada@example.com"@evil.example',
        "ada@example.com <eve@evil.example>",
        "\uff41da@example.com",
        "ada@example\uff0ecom",
        "a\u200bda@example.com",
    ],
)
async def test_an_address_that_could_be_read_as_another_gets_no_mail(door: Gateway, email: str) -> None:
    """R6."""
    await newcomer(door)
    for path in ("/api/auth/register", "/api/auth/requestPasswordReset", "/api/user/verify/resend"):
        body = {"email": email, "password": PASSWORD, "name": "Eve"}
        assert (await post(door, path, body)).status == HTTPStatus.BAD_REQUEST
    assert len(letters_in(door.settings.data_dir)) == 1


async def test_password_may_be_typed_twice(door: Gateway) -> None:
    assert (await register(door, confirm_password=PASSWORD)).status == HTTPStatus.OK
    assert (await register(door, "bob@example.com", confirm_password=None)).status == HTTPStatus.OK


async def test_password_must_be_typed_twice_where_that_is_asked_for(tmp_path: Path) -> None:
    async with start_gateway(open_door(tmp_path, REQUIRE_CONFIRM_PASSWORD="true")) as door:
        once = await register(door)
        assert once.status == HTTPStatus.BAD_REQUEST
        assert list((await once.json())["fields"]) == ["confirm_password"]
        assert (await register(door, confirm_password=PASSWORD)).status == HTTPStatus.OK


@pytest.mark.parametrize("spelling", ["ada", "ADA", " \uff21\uff24\uff21 "])
async def test_a_username_belongs_to_one_account_in_every_spelling(door: Gateway, spelling: str) -> None:
    """L11."""
    await newcomer(door, username="Ada")
    response = await register(door, "bob@example.com", username=spelling)
    assert response.status == HTTPStatus.BAD_REQUEST
    assert list((await response.json())["fields"]) == ["username"]


async def test_a_taken_username_says_nothing_about_whose_it_is(door: Gateway) -> None:
    """L7: neither for the address that has it, verified or not, nor for another."""
    await register(door, username="ada")
    await newcomer(door, "bob@example.com", username="bob")
    answers = [
        await (await register(door, email, username=username)).json()
        for email in (EMAIL, "bob@example.com", "nobody@example.com")
        for username in ("ada", "bob")
    ]
    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["fields"] == {"username": "This username is taken."}


async def test_nobody_registers_unless_it_is_allowed(gateway: Gateway) -> None:
    response = await register(gateway)
    assert response.status == HTTPStatus.FORBIDDEN
    assert (await response.json())["message"] == "Registration is not allowed."
    assert (await gateway.ask("/register", Accept="text/html")).status == HTTPStatus.FORBIDDEN
    assert "/register" not in await (await gateway.ask("/login")).text()


async def test_only_addresses_of_the_allowed_domains_register(tmp_path: Path) -> None:
    async with start_gateway(open_door(tmp_path, ALLOWED_EMAIL_DOMAINS="example.com, M\u00fcller.test")) as door:
        for email in ("ada@EXAMPLE.com", "ada@m\u00fcller.test"):
            assert (await register(door, email)).status == HTTPStatus.OK
        for email in ("ada@example.org", "ada@sub.example.com", "ada@notexample.com", ADMIN_EMAIL + ".evil.example"):
            response = await register(door, email)
            assert response.status == HTTPStatus.FORBIDDEN
            assert (await response.json())["message"] == "Registration is not allowed."


async def test_an_address_may_register_five_times_an_hour(tmp_path: Path) -> None:
    """R5: every call counts, whatever comes of it."""
    async with start_gateway(environment(tmp_path, ALLOW_REGISTRATION="true")) as door:
        statuses = [(await register(door, f"ada{number}@example.com")).status for number in range(3)]
        statuses += [(await post(door, "/api/auth/register", {})).status for _ in range(2)]
        assert statuses == [200, 200, 200, 400, 400]
        response = await register(door)
        assert response.status == HTTPStatus.TOO_MANY_REQUESTS
        assert int(response.headers["Retry-After"]) > 0
        assert response.headers["X-RateLimit-Limit"] == "5"


async def test_an_addresss_owner_gets_three_letters_an_hour_and_nobody_learns_of_it(door: Gateway) -> None:
    """R5."""
    answers = [await (await register(door, email)).read() for email in [ADMIN_EMAIL, EMAIL] * 5]
    assert set(answers) == {await (await register(door, "new@example.com")).read()}
    await read_letter(door.settings.data_dir, to="new@example.com")
    # The sender keeps the order in which letters became due: the newest one is out, so all before it are.
    for email in (ADMIN_EMAIL, EMAIL):
        assert len([letter for letter in letters_in(door.settings.data_dir) if letter["To"] == email]) == 3


async def test_a_banned_address_is_not_listened_to(door: Gateway) -> None:
    database = Database.open(door.settings.database)
    async with database.write() as connection:
        ban = BannedAddress("127.0.0.1", "a test", created_at=datetime.now(UTC), expires_at=None)
        await ban_address(connection, ban)
    await database.close()
    paths = ("/api/auth/register", "/api/user/verify", "/api/user/verify/resend")
    for path in (*paths, "/api/auth/requestPasswordReset", "/api/auth/resetPassword"):
        assert (await post(door, path, {})).status == HTTPStatus.FORBIDDEN
    assert not letters_in(door.settings.data_dir)


async def test_a_requests_host_has_no_part_in_the_link(door: Gateway) -> None:
    """D4."""
    lies = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    body = {"email": EMAIL, "password": PASSWORD, "name": "Ada"}
    await post(door, "/api/auth/register", body, **lies)
    await post(door, "/api/auth/requestPasswordReset", {"email": ADMIN_EMAIL}, **lies)
    for email in (EMAIL, ADMIN_EMAIL):
        assert (await mailed_link(door, to=email)).startswith(f"{PUBLIC_URL}/")


@pytest.mark.both_databases
@pytest.mark.usefixtures("gateways_database")
async def test_of_many_registrations_of_one_address_at_once_one_makes_the_account(door: Gateway) -> None:
    """N1."""
    responses = await asyncio.gather(*[register(door) for _ in range(20)])
    assert [response.status for response in responses] == [200] * 20
    assert await rows(door, "SELECT count(*) FROM accounts WHERE email = ?", EMAIL) == [(1,)]


@pytest.mark.both_databases
@pytest.mark.usefixtures("gateways_database")
async def test_of_many_who_want_one_username_at_once_one_gets_it(door: Gateway) -> None:
    """N1, L11."""
    attempts = [register(door, f"ada{number}@example.com", username="ada") for number in range(20)]
    responses = await asyncio.gather(*attempts)
    assert sorted(response.status for response in responses) == [200] + [400] * 19
    assert await rows(door, "SELECT count(*) FROM accounts WHERE username = 'ada'") == [(1,)]


async def test_without_mail_nobody_can_verify_so_nobody_comes_in(tmp_path: Path) -> None:
    async with start_gateway(open_door(tmp_path, GATEWAY_MAIL__TRANSPORT="none")) as door:
        assert await (await register(door)).json() == REGISTERED
        assert (await door.log_in(EMAIL, PASSWORD)).status == HTTPStatus.UNPROCESSABLE_ENTITY


async def test_without_mail_an_account_counts_as_verified_where_that_was_chosen(tmp_path: Path) -> None:
    settings = {"GATEWAY_MAIL__TRANSPORT": "none", "ALLOW_UNVERIFIED_EMAIL_LOGIN": "true"}
    async with start_gateway(open_door(tmp_path, **settings)) as door:
        assert await (await register(door)).json() == REGISTERED
        assert (await (await door.log_in(EMAIL, PASSWORD)).json())["user"]["emailVerified"]
        assert await (await register(door, password=NEW_PASSWORD)).json() == REGISTERED
        assert (await door.log_in(EMAIL, NEW_PASSWORD)).status == HTTPStatus.UNAUTHORIZED


async def test_events_are_audited(door: Gateway) -> None:
    await newcomer(door)
    await register(door)
    events = await rows(door, "SELECT kind, succeeded, email, client_address FROM audit_events ORDER BY id")
    assert events[-3:] == [
        ("registered", 1, EMAIL, "127.0.0.1"),
        ("email_verified", 1, EMAIL, "127.0.0.1"),
        ("registered", 0, EMAIL, "127.0.0.1"),
    ]
