"""A forgotten password, by JSON."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path

import pytest
import time_machine

from tests.support.gateway import ADMIN_EMAIL, ADMIN_PASSWORD, PUBLIC_URL, Gateway, environment, start_gateway
from tests.support.letters import html_of, text_of
from tests.support.newcomers import (
    EMAIL,
    NEW_PASSWORD,
    PASSWORD,
    RESET_REQUESTED,
    mailed_link,
    newcomer,
    open_door,
    post,
    query_of,
    register,
    request_reset,
    reset,
    rows,
)
from tests.support.outbox import letters_in, read_letter

RESET = "reset"


async def _link(gateway: Gateway, *, number: int = 1) -> str:
    return await mailed_link(gateway, to=ADMIN_EMAIL, subject=RESET, number=number)


async def _ask(gateway: Gateway) -> str:
    """Ask for a reset of the administrator's password, and give the mailed link."""
    assert (await request_reset(gateway, ADMIN_EMAIL)).status == HTTPStatus.OK
    return await _link(gateway)


async def test_mailed_link_sets_a_new_password_and_ends_every_session(door: Gateway) -> None:
    """R4, S5: nobody is logged in by it, and the owner is told."""
    session = await door.session()
    response = await request_reset(door, f" {ADMIN_EMAIL.title()}")
    assert response.status == HTTPStatus.OK
    assert await response.json() == RESET_REQUESTED
    link = await _link(door)
    assert link.startswith(f"{PUBLIC_URL}/reset-password?token=")
    answer = await reset(door, link)
    assert answer.status == HTTPStatus.OK
    assert await answer.json() == {"message": "Password reset was successful"}
    assert not answer.cookies
    assert (await door.check(Cookie=session.cookie)).status == HTTPStatus.UNAUTHORIZED
    assert (await door.check(Authorization=session.bearer)).status == HTTPStatus.UNAUTHORIZED
    assert (await door.log_in(ADMIN_EMAIL, ADMIN_PASSWORD)).status == HTTPStatus.UNAUTHORIZED
    assert (await door.log_in(ADMIN_EMAIL, NEW_PASSWORD)).status == HTTPStatus.OK
    await read_letter(door.settings.data_dir, to=ADMIN_EMAIL, subject="changed")


async def test_token_lies_nowhere_in_the_database(door: Gateway) -> None:
    """R1: a stolen database holds nothing that could be presented."""
    token = query_of(await _ask(door))["token"]
    await newcomer(door)
    for path in door.settings.data_dir.glob("gateway.db*"):
        assert token.encode() not in path.read_bytes()


async def test_letter_shows_the_link_and_who_asked(door: Gateway) -> None:
    await _ask(door)
    letter = await read_letter(door.settings.data_dir, to=ADMIN_EMAIL, subject=RESET)
    for text in (text_of(letter), html_of(letter)):
        assert "127.0.0.1" in text
        assert "15 minutes" in text


async def test_a_link_is_good_once(door: Gateway) -> None:
    """R1."""
    link = await _ask(door)
    assert (await reset(door, link)).status == HTTPStatus.OK
    again = await reset(door, link, "another-drum-1812")
    assert again.status == HTTPStatus.BAD_REQUEST
    assert (await again.json())["code"] == "link_dead"
    assert (await door.log_in(ADMIN_EMAIL, NEW_PASSWORD)).status == HTTPStatus.OK


@pytest.mark.both_databases
@pytest.mark.usefixtures("gateways_database")
async def test_of_many_who_use_one_link_at_once_one_succeeds(door: Gateway) -> None:
    """R1, N1."""
    link = await _ask(door)
    passwords = [f"kettle-drum-{number}" for number in range(20)]
    responses = await asyncio.gather(*[reset(door, link, password) for password in passwords])
    assert sorted(response.status for response in responses) == [200] + [400] * 19
    [winner] = [word for word, response in zip(passwords, responses, strict=True) if response.status == HTTPStatus.OK]
    assert (await door.log_in(ADMIN_EMAIL, winner)).status == HTTPStatus.OK
    assert await rows(door, "SELECT count(*) FROM audit_events WHERE kind = 'password_reset'") == [(1,)]


async def test_newer_link_makes_the_older_one_dead(door: Gateway) -> None:
    """R1."""
    older = await _ask(door)
    await request_reset(door, ADMIN_EMAIL)
    newer = await _link(door, number=2)
    assert (await reset(door, older)).status == HTTPStatus.BAD_REQUEST
    assert (await reset(door, newer)).status == HTTPStatus.OK


async def test_a_changed_password_makes_the_link_dead(door: Gateway) -> None:
    """R1."""
    link = await _ask(door)
    session = await door.session()
    change = {"currentPassword": ADMIN_PASSWORD, "newPassword": NEW_PASSWORD}
    await post(door, "/api/auth/changePassword", change, Authorization=session.bearer)
    assert (await reset(door, link)).status == HTTPStatus.BAD_REQUEST


async def test_a_link_lasts_a_quarter_of_an_hour(door: Gateway) -> None:
    """R1."""
    link = await _ask(door)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=15, seconds=1)):
        assert (await reset(door, link)).status == HTTPStatus.BAD_REQUEST


async def test_a_token_is_good_for_its_own_account_and_purpose(door: Gateway) -> None:
    """R1, R3."""
    await newcomer(door)
    await register(door, "bob@example.com")
    ids = dict(await rows(door, "SELECT email, id FROM accounts"))
    admins = query_of(await _ask(door))["token"]
    verification = query_of(await mailed_link(door, to="bob@example.com"))["token"]
    for token, user_id in [
        (admins, ids[EMAIL]),
        (admins, ADMIN_EMAIL),
        (verification, ids["bob@example.com"]),
        ("guess", ids[EMAIL]),
        (ids[EMAIL], ids[EMAIL]),
    ]:
        body = {"userId": user_id, "token": token, "password": NEW_PASSWORD}
        assert (await post(door, "/api/auth/resetPassword", body)).status == HTTPStatus.BAD_REQUEST
    for email, password in [(EMAIL, PASSWORD), (ADMIN_EMAIL, ADMIN_PASSWORD)]:
        assert (await door.log_in(email, password)).status == HTTPStatus.OK


@pytest.mark.parametrize("left_out", ["userId", "token", "password"])
async def test_no_step_can_be_left_out(door: Gateway, left_out: str) -> None:
    """R3."""
    body = {**query_of(await _ask(door)), "password": NEW_PASSWORD}
    del body[left_out]
    response = await post(door, "/api/auth/resetPassword", body)
    assert response.status == HTTPStatus.BAD_REQUEST
    assert list((await response.json())["fields"]) == [left_out]


@pytest.mark.parametrize(
    ("password", "more", "field"),
    [
        ("seven77", {}, "password"),
        ("password1", {}, "password"),
        ("my-admin-xyz", {}, "password"),
        (NEW_PASSWORD, {"confirm_password": "another-one"}, "confirm_password"),
    ],
)
async def test_a_broken_rule_is_named_and_the_link_stays_good(
    door: Gateway, password: str, more: dict[str, str], field: str
) -> None:
    """L3."""
    link = await _ask(door)
    response = await reset(door, link, password, **more)
    assert response.status == HTTPStatus.BAD_REQUEST
    assert list((await response.json())["fields"]) == [field]
    assert (await reset(door, link, NEW_PASSWORD, confirm_password=NEW_PASSWORD)).status == HTTPStatus.OK


async def test_password_must_be_typed_twice_where_that_is_asked_for(tmp_path: Path) -> None:
    async with start_gateway(open_door(tmp_path, REQUIRE_CONFIRM_PASSWORD="true")) as door:
        link = await _ask(door)
        assert list((await (await reset(door, link)).json())["fields"]) == ["confirm_password"]
        assert (await reset(door, link, NEW_PASSWORD, confirm_password=NEW_PASSWORD)).status == HTTPStatus.OK


@pytest.mark.parametrize("state", ["disabled_at", "banned_until"])
async def test_unknown_disabled_and_banned_accounts_get_the_same_answer_and_no_link(door: Gateway, state: str) -> None:
    """R2, L7."""
    await newcomer(door)
    future = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%d %H:%M:%S.000000")
    await rows(door, f"UPDATE accounts SET {state} = ? WHERE email = ?", future, EMAIL)  # noqa: S608 - one of two columns
    responses = [await request_reset(door, email) for email in (EMAIL, "nobody@example.com", ADMIN_EMAIL)]
    assert {response.status for response in responses} == {200}
    bodies = {await response.read() for response in responses}
    assert len(bodies) == 1
    assert len({tuple(sorted(response.headers)) for response in responses}) == 1
    await _link(door)
    letters = [letter for letter in letters_in(door.settings.data_dir) if RESET in letter["Subject"].lower()]
    assert [letter["To"] for letter in letters] == [ADMIN_EMAIL]
    events = "SELECT email, succeeded FROM audit_events WHERE kind = 'password_reset_requested' ORDER BY id"
    assert await rows(door, events) == [(EMAIL, 0), ("nobody@example.com", 0), (ADMIN_EMAIL, 1)]


@pytest.mark.parametrize("state", ["disabled_at", "banned_until"])
async def test_a_link_of_an_account_that_may_not_log_in_is_dead(door: Gateway, state: str) -> None:
    await newcomer(door)
    await request_reset(door)
    link = await mailed_link(door, subject=RESET)
    future = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%d %H:%M:%S.000000")
    await rows(door, f"UPDATE accounts SET {state} = ? WHERE email = ?", future, EMAIL)  # noqa: S608 - one of two columns
    assert (await reset(door, link)).status == HTTPStatus.BAD_REQUEST


async def test_three_links_lie_in_a_mailbox_at_most_and_the_newest_is_good(door: Gateway) -> None:
    """R5: nobody learns that no further letter was sent."""
    answers = {await (await request_reset(door, ADMIN_EMAIL)).read() for _ in range(5)}
    assert len(answers) == 1
    await register(door)
    await mailed_link(door)
    letters = [letter for letter in letters_in(door.settings.data_dir) if letter["To"] == ADMIN_EMAIL]
    assert len(letters) == 3
    assert (await reset(door, await _link(door, number=3))).status == HTTPStatus.OK


async def test_an_address_may_ask_twice_in_two_minutes(tmp_path: Path) -> None:
    """R5: every call counts. Using a link does not, for nobody guesses 256 bits."""
    async with start_gateway(environment(tmp_path)) as gateway:
        link = await _ask(gateway)
        await request_reset(gateway, "nobody@example.com")
        refused = await request_reset(gateway, ADMIN_EMAIL)
        assert refused.status == HTTPStatus.TOO_MANY_REQUESTS
        assert int(refused.headers["Retry-After"]) > 0
        for _ in range(5):
            assert (await reset(gateway, link + "x")).status == HTTPStatus.BAD_REQUEST
        assert (await reset(gateway, link)).status == HTTPStatus.OK


@pytest.mark.parametrize("settings", [{"ALLOW_PASSWORD_RESET": "false"}, {"GATEWAY_MAIL__TRANSPORT": "none"}])
async def test_reset_can_be_switched_off_and_is_without_mail(tmp_path: Path, settings: dict[str, str]) -> None:
    async with start_gateway(environment(tmp_path, **settings)) as gateway:
        body = {"email": ADMIN_EMAIL, "userId": "x", "token": "x", "password": NEW_PASSWORD}
        for path in ("/api/auth/requestPasswordReset", "/api/auth/resetPassword"):
            response = await post(gateway, path, body)
            assert response.status == HTTPStatus.FORBIDDEN
            assert (await response.json())["message"] == "Password reset is not allowed."
        for path in ("/forgot-password", "/reset-password"):
            assert (await gateway.ask(path)).status == HTTPStatus.FORBIDDEN
        assert "/forgot-password" not in await (await gateway.ask("/login")).text()


async def test_a_reset_verifies_the_mailbox_and_ends_what_a_stranger_made_before(tmp_path: Path) -> None:
    """S5."""
    async with start_gateway(open_door(tmp_path, ALLOW_UNVERIFIED_EMAIL_LOGIN="true")) as door:
        await register(door, password="strangers-choice-1")
        verification = query_of(await mailed_link(door))
        stranger = await door.session(EMAIL, "strangers-choice-1")
        created = await post(door, "/api/api-keys", {"name": "mine"}, Authorization=stranger.bearer)
        key = (await created.json())["key"]
        await request_reset(door)
        assert (await reset(door, await mailed_link(door, subject=RESET))).status == HTTPStatus.OK
        assert (await door.check(X_API_Key=key)).status == HTTPStatus.UNAUTHORIZED
        user = (await (await door.log_in(EMAIL, NEW_PASSWORD)).json())["user"]
        assert user["emailVerified"]
        assert (await post(door, "/api/user/verify", verification)).status == HTTPStatus.BAD_REQUEST


async def test_api_keys_of_a_verified_account_outlive_a_reset(door: Gateway) -> None:
    session = await door.session()
    created = await post(door, "/api/api-keys", {"name": "mine"}, Authorization=session.bearer)
    await reset(door, await _ask(door))
    assert (await door.check(X_API_Key=(await created.json())["key"])).status == HTTPStatus.OK


async def test_a_password_that_was_handed_over_need_not_be_changed_after_a_reset(door: Gateway) -> None:
    await rows(door, "UPDATE accounts SET must_change_password = 1 WHERE email = ?", ADMIN_EMAIL)
    await reset(door, await _ask(door))
    user = (await (await door.log_in(ADMIN_EMAIL, NEW_PASSWORD)).json())["user"]
    assert not user["mustChangePassword"]


async def test_a_second_factor_stays_in_force(door: Gateway) -> None:
    """M5."""
    await rows(door, "UPDATE accounts SET second_factor_since = created_at WHERE email = ?", ADMIN_EMAIL)
    assert (await reset(door, await _ask(door))).status == HTTPStatus.OK
    login = await door.log_in(ADMIN_EMAIL, NEW_PASSWORD)
    assert not login.cookies
    assert "token" not in await login.json()
