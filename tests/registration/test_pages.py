"""The pages of registration and reset, as they work without JavaScript."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path

import pytest

from tests.support.forms import Person, hidden_fields
from tests.support.gateway import ADMIN_EMAIL, ADMIN_PASSWORD, Gateway, environment, start_gateway
from tests.support.newcomers import (
    EMAIL,
    NEW_PASSWORD,
    PASSWORD,
    mailed_link,
    open_door,
    path_of,
    query_of,
    register,
    request_reset,
)
from tests.support.outbox import letters_in

FORM = {"email": EMAIL, "name": "Ada", "password": PASSWORD}


async def test_newcomer_registers_confirms_and_logs_in(door: Gateway, visitor: Person) -> None:
    login = await (await visitor.open("/login")).text()
    assert 'href="/register"' in login
    sent = await visitor.fill_in("/register", **FORM, username="Ada")
    assert sent.status == HTTPStatus.SEE_OTHER
    assert "Check your mail" in await (await visitor.open(sent.headers["Location"])).text()
    early = await visitor.fill_in("/login", email=EMAIL, password=PASSWORD)
    assert early.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert 'href="/verify"' in await early.text()
    confirmed = await visitor.fill_in(path_of(await mailed_link(door)))
    assert (confirmed.status, confirmed.headers["Location"]) == (HTTPStatus.SEE_OTHER, "/login")
    assert "Your email address is confirmed" in await (await visitor.open("/login")).text()
    assert (await visitor.fill_in("/login", email=EMAIL, password=PASSWORD)).status == HTTPStatus.SEE_OTHER


async def test_forgotten_password_is_replaced(door: Gateway, visitor: Person) -> None:
    """R4: opening the link spends nothing, and nobody is logged in by it."""
    assert 'href="/forgot-password"' in await (await visitor.open("/login")).text()
    sent = await visitor.fill_in("/forgot-password", email=ADMIN_EMAIL)
    assert "Check your mail" in await (await visitor.open(sent.headers["Location"])).text()
    link = path_of(await mailed_link(door, to=ADMIN_EMAIL))
    for _ in range(3):
        assert ADMIN_EMAIL in await (await visitor.open(link)).text()
    done = await visitor.fill_in(link, password=NEW_PASSWORD)
    assert (done.status, done.headers["Location"]) == (HTTPStatus.SEE_OTHER, "/login")
    assert "gateway_session" not in visitor.cookies
    assert "Your password was changed" in await (await visitor.open("/login")).text()
    assert (await door.log_in(ADMIN_EMAIL, ADMIN_PASSWORD)).status == HTTPStatus.UNAUTHORIZED
    assert (await door.log_in(ADMIN_EMAIL, NEW_PASSWORD)).status == HTTPStatus.OK


async def test_the_next_page_is_the_same_for_known_and_unknown_addresses(visitor: Person) -> None:
    """R2, L7."""
    for path, more in (("/register", {"name": "Ada", "password": PASSWORD}), ("/forgot-password", {})):
        answers = [await visitor.fill_in(path, email=email, **more) for email in (ADMIN_EMAIL, "nobody@example.com")]
        assert {answer.status for answer in answers} == {303}
        assert len({answer.headers["Location"] for answer in answers}) == 1


async def test_dead_link_leads_to_a_new_one(door: Gateway, visitor: Person) -> None:
    await register(door)
    link = await mailed_link(door)
    await visitor.fill_in(path_of(link))
    dead = await visitor.open(path_of(link))
    assert dead.status == HTTPStatus.BAD_REQUEST
    assert 'action="/verify/resend"' in await dead.text()
    dead = await visitor.open("/reset-password?token=guess&userId=guess")
    assert dead.status == HTTPStatus.BAD_REQUEST
    assert 'action="/forgot-password"' in await dead.text()


async def test_the_link_is_sent_again(door: Gateway, visitor: Person) -> None:
    await register(door)
    await mailed_link(door)
    sent = await visitor.fill_in("/verify", action="/verify/resend", email=EMAIL)
    assert sent.headers["Location"] == "/check-mail?about=verification"
    assert (await visitor.fill_in(path_of(await mailed_link(door, number=2)))).status == HTTPStatus.SEE_OTHER


async def test_a_mistake_is_marked_and_what_was_typed_is_kept_but_for_the_password(visitor: Person) -> None:
    response = await visitor.fill_in("/register", email=EMAIL, name="A&da", username="a@b", password="password1")
    page = await response.text()
    assert response.status == HTTPStatus.BAD_REQUEST
    assert 'id="username-error"' in page
    assert 'value="A&amp;da"' in page
    assert f'value="{EMAIL}"' in page
    assert "password1" not in page
    response = await visitor.fill_in("/register", email=EMAIL, name="Ada", password="password1")
    assert 'id="password-error"' in await response.text()


async def test_a_mistake_at_the_reset_keeps_the_link(door: Gateway, visitor: Person) -> None:
    await request_reset(door, ADMIN_EMAIL)
    link = path_of(await mailed_link(door, to=ADMIN_EMAIL))
    response = await visitor.fill_in(link, password="password1")
    page = await response.text()
    assert response.status == HTTPStatus.BAD_REQUEST
    assert 'id="password-error"' in page
    again = await visitor.post("/reset-password", {**hidden_fields(page), "password": NEW_PASSWORD})
    assert again.status == HTTPStatus.SEE_OTHER


@pytest.mark.parametrize("path", ["/register", "/verify", "/verify/resend", "/forgot-password", "/reset-password"])
async def test_a_form_counts_from_our_own_page_only(door: Gateway, visitor: Person, path: str) -> None:
    """S9."""
    await register(door)
    await request_reset(door, ADMIN_EMAIL)
    fields = query_of(await mailed_link(door)) | query_of(await mailed_link(door, to=ADMIN_EMAIL)) | FORM
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "null"}):
        assert (await visitor.post(path, fields, **headers)).status == HTTPStatus.FORBIDDEN
    assert (await visitor.post(path, {**fields, "form_token": "guess"})).status in {400, 403}
    assert len(letters_in(door.settings.data_dir)) == 2
    assert (await door.log_in(ADMIN_EMAIL, ADMIN_PASSWORD)).status == HTTPStatus.OK


async def test_pages_behind_links_tell_their_address_to_nobody(door: Gateway, visitor: Person) -> None:
    """R4, W1: nothing foreign is loaded, and no other site learns the link."""
    await register(door)
    await request_reset(door, ADMIN_EMAIL)
    for link in (await mailed_link(door), await mailed_link(door, to=ADMIN_EMAIL)):
        page = await visitor.open(path_of(link))
        assert page.headers["Referrer-Policy"] == "same-origin"
        assert page.headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert "http" not in (await page.text()).replace("http-equiv", "")


async def test_forms_say_the_servers_rules(tmp_path: Path) -> None:
    settings = {"MIN_PASSWORD_LENGTH": "11", "REQUIRE_CONFIRM_PASSWORD": "true", "ALLOWED_EMAIL_DOMAINS": "example.com"}
    async with start_gateway(open_door(tmp_path, **settings)) as door:
        person = Person(door)
        page = await (await person.open("/register")).text()
        assert page.count('minlength="11"') == 2
        assert page.count('autocomplete="new-password"') == 2
        assert 'inputmode="email"' in page
        assert page.count('maxlength="80"') == 2
        assert "Ending in @example.com" in page
        assert page.count(" required") == 4, "all but the username"
        refused = await person.fill_in("/register", **FORM, confirm_password="another-one")
        assert 'id="confirm_password-error"' in await refused.text()
        done = await person.fill_in("/register", **FORM, confirm_password=PASSWORD)
        assert done.status == HTTPStatus.SEE_OTHER


async def test_limits_are_said_on_the_page(tmp_path: Path) -> None:
    async with start_gateway(environment(tmp_path, ALLOW_REGISTRATION="true", REGISTER_MAX="1")) as door:
        person = Person(door)
        await person.fill_in("/register", **FORM)
        refused = await person.fill_in("/register", **FORM)
        assert refused.status == HTTPStatus.TOO_MANY_REQUESTS
        assert int(refused.headers["Retry-After"]) > 0
        assert "Too many accounts were registered" in await refused.text()


async def test_next_page_knows_no_more_than_what_it_is_about(visitor: Person) -> None:
    assert (await visitor.open("/check-mail")).status == HTTPStatus.NOT_FOUND
    assert (await visitor.open("/check-mail?about=<script>")).status == HTTPStatus.NOT_FOUND


async def test_without_mail_nobody_is_told_to_look_for_some(tmp_path: Path) -> None:
    settings = {"GATEWAY_MAIL__TRANSPORT": "none", "ALLOW_UNVERIFIED_EMAIL_LOGIN": "true"}
    async with start_gateway(open_door(tmp_path, **settings)) as door:
        person = Person(door)
        sent = await person.fill_in("/register", **FORM)
        page = await (await person.open(sent.headers["Location"])).text()
        assert "mail" not in page.partition("<main>")[2].replace("e-mail", "")
        assert 'href="/login"' in page
