"""Mailed links that verify an address."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path

import pytest
import time_machine

from tests.support.forms import Person
from tests.support.gateway import ADMIN_EMAIL, Gateway, start_gateway
from tests.support.letters import text_of
from tests.support.newcomers import (
    EMAIL,
    NEW_PASSWORD,
    PASSWORD,
    REGISTERED,
    mailed_link,
    open_door,
    path_of,
    post,
    query_of,
    register,
    request_reset,
    reset,
    rows,
    verify,
)
from tests.support.outbox import letters_in, read_letter


async def _send_again(gateway: Gateway, email: str = EMAIL) -> bytes:
    response = await post(gateway, "/api/user/verify/resend", {"email": email})
    assert response.status == HTTPStatus.OK
    return await response.read()


async def test_opening_the_link_changes_nothing(door: Gateway, visitor: Person) -> None:
    await register(door)
    link = await mailed_link(door)
    for _ in range(3):
        page = await visitor.open(path_of(link))
        assert page.status == HTTPStatus.OK
        assert EMAIL in await page.text()
    assert (await door.log_in(EMAIL, PASSWORD)).status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert (await verify(door, link)).status == HTTPStatus.OK


async def test_a_link_is_good_once(door: Gateway) -> None:
    await register(door)
    link = await mailed_link(door)
    await verify(door, link)
    again = await verify(door, link)
    assert again.status == HTTPStatus.BAD_REQUEST
    assert (await again.json())["code"] == "link_dead"


@pytest.mark.both_databases
@pytest.mark.usefixtures("gateways_database")
async def test_of_many_who_follow_one_link_at_once_one_succeeds(door: Gateway) -> None:
    """N1."""
    await register(door)
    link = await mailed_link(door)
    responses = await asyncio.gather(*[verify(door, link) for _ in range(20)])
    assert sorted(response.status for response in responses) == [200] + [400] * 19


async def test_a_link_is_good_for_its_own_address_in_any_spelling(door: Gateway) -> None:
    await register(door)
    await register(door, "bob@example.com")
    token = query_of(await mailed_link(door))["token"]
    for email in ("bob@example.com", ADMIN_EMAIL, "nobody@example.com"):
        refused = await post(door, "/api/user/verify", {"email": email, "token": token})
        assert refused.status == HTTPStatus.BAD_REQUEST
    good = await post(door, "/api/user/verify", {"email": f" {EMAIL.upper()}", "token": token})
    assert good.status == HTTPStatus.OK


@pytest.mark.parametrize("token", ["guess", "", "\x00", "x" * 5000, 5, None, ["x"], {}])
async def test_a_guessed_token_verifies_nothing(door: Gateway, token: object) -> None:
    await register(door)
    response = await post(door, "/api/user/verify", {"email": EMAIL, "token": token})
    assert response.status == HTTPStatus.BAD_REQUEST


async def test_a_reset_link_verifies_nothing_by_itself(door: Gateway) -> None:
    """R1: a token is good for one purpose."""
    await register(door)
    await request_reset(door)
    token = query_of(await mailed_link(door, subject="password"))["token"]
    response = await post(door, "/api/user/verify", {"email": EMAIL, "token": token})
    assert response.status == HTTPStatus.BAD_REQUEST


async def test_a_link_lasts_a_day(door: Gateway) -> None:
    await register(door)
    link = await mailed_link(door)
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=24, seconds=1)):
        assert (await verify(door, link)).status == HTTPStatus.BAD_REQUEST


async def test_a_disabled_accounts_link_is_dead_until_it_is_enabled(door: Gateway) -> None:
    await register(door)
    link = await mailed_link(door)
    await rows(door, "UPDATE accounts SET disabled_at = created_at WHERE email = ?", EMAIL)
    assert (await verify(door, link)).status == HTTPStatus.BAD_REQUEST
    await rows(door, "UPDATE accounts SET disabled_at = NULL WHERE email = ?", EMAIL)
    assert (await verify(door, link)).status == HTTPStatus.OK


@pytest.mark.parametrize("passwords", [("strangers-choice-1", PASSWORD), (PASSWORD, "strangers-choice-1")])
async def test_no_link_confirms_an_address_that_two_have_registered(door: Gateway, passwords: tuple[str, str]) -> None:
    """R3: its owner would accept a stranger's password with it; a reset sets their own."""
    for password in passwords:
        await register(door, password=password)
    assert (await verify(door, await mailed_link(door))).status == HTTPStatus.BAD_REQUEST
    second = await read_letter(door.settings.data_dir, to=EMAIL, number=2)
    assert "token=" not in text_of(second)
    await request_reset(door)
    assert (await reset(door, await mailed_link(door, subject="reset"))).status == HTTPStatus.OK
    for password in passwords:
        assert (await door.log_in(EMAIL, password)).status == HTTPStatus.UNAUTHORIZED
    assert (await door.log_in(EMAIL, NEW_PASSWORD)).status == HTTPStatus.OK


async def test_letters_that_are_used_up_leave_no_strangers_link_alive(door: Gateway) -> None:
    """R3: the owner's registration sends no letter any more, and takes the stranger's link away."""
    await register(door, password="strangers-choice-1")
    for _ in range(2):
        await _send_again(door)
    links = [await mailed_link(door, number=number) for number in (1, 2, 3)]
    await register(door, password=PASSWORD)
    for link in links:
        assert (await verify(door, link)).status == HTTPStatus.BAD_REQUEST
    assert (await door.log_in(EMAIL, "strangers-choice-1")).status == HTTPStatus.UNPROCESSABLE_ENTITY


async def test_verifying_ones_own_registration_leaves_what_was_done_since(tmp_path: Path) -> None:
    async with start_gateway(open_door(tmp_path, ALLOW_UNVERIFIED_EMAIL_LOGIN="true")) as door:
        await register(door)
        session = await door.session(EMAIL, PASSWORD)
        change = {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD}
        changed = await post(door, "/api/auth/changePassword", change, Authorization=session.bearer)
        assert changed.status == HTTPStatus.OK
        assert (await verify(door, await mailed_link(door))).status == HTTPStatus.OK
        assert (await door.ask("/api/user", Authorization=session.bearer)).status == HTTPStatus.OK
        assert (await door.log_in(EMAIL, NEW_PASSWORD)).status == HTTPStatus.OK


async def test_the_link_is_sent_again_to_whoever_waits_for_it(door: Gateway) -> None:
    """L7: the answer is the same for all."""
    await register(door)
    answers = [await _send_again(door, email) for email in (EMAIL, ADMIN_EMAIL, "nobody@example.com")]
    assert answers == [answers[0]] * 3
    assert await (await post(door, "/api/user/verify/resend", {"email": EMAIL})).json() == REGISTERED
    assert (await verify(door, await mailed_link(door, number=2))).status == HTTPStatus.BAD_REQUEST
    newest = await mailed_link(door, number=3)
    assert (await verify(door, newest)).status == HTTPStatus.OK
    assert (await door.log_in(EMAIL, PASSWORD)).status == HTTPStatus.OK
    assert {letter["To"] for letter in letters_in(door.settings.data_dir)} == {EMAIL}


async def test_no_new_link_is_sent_for_what_may_be_a_strangers_registration(door: Gateway) -> None:
    await register(door, password="strangers-choice-1")
    await register(door, password=PASSWORD)
    await _send_again(door)
    letter = await read_letter(door.settings.data_dir, to=EMAIL, number=3)
    assert "/verify" not in text_of(letter)
    assert "/forgot-password" in text_of(letter)


async def test_an_accounts_owner_gets_three_letters_an_hour(door: Gateway) -> None:
    """R5."""
    await register(door)
    for _ in range(5):
        await _send_again(door)
    await register(door, "last@example.com")
    await read_letter(door.settings.data_dir, to="last@example.com")
    assert len([letter for letter in letters_in(door.settings.data_dir) if letter["To"] == EMAIL]) == 3


@pytest.mark.parametrize("path", ["/api/user/verify", "/api/user/verify/resend"])
async def test_an_address_may_try_twice_in_two_minutes(tmp_path: Path, path: str) -> None:
    """R5."""
    async with start_gateway(open_door(tmp_path, VERIFY_EMAIL_MAX="2")) as door:
        body = {"email": EMAIL, "token": "guess"}
        for _ in range(2):
            assert (await post(door, path, body)).status != HTTPStatus.TOO_MANY_REQUESTS
        refused = await post(door, path, body)
        assert refused.status == HTTPStatus.TOO_MANY_REQUESTS
        assert int(refused.headers["Retry-After"]) > 0
