"""The page of a login's second step, as a person without JavaScript uses it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

import pytest
import time_machine

from tests.support.forms import Person
from tests.support.gateway import ADMIN_EMAIL, ADMIN_PASSWORD, Gateway, environment, start_gateway
from tests.support.second_factor import STEP, App, clock_of_codes, enrol, finish, half_log_in

APP = "http://app.example.com/reports?page=2&sort=name"
LOGIN = f"/login?rd={quote(APP, safe='')}"
STEP_TWO = f"/login/second-factor?rd={quote(APP, safe='')}"


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with clock_of_codes() as clock:
        yield clock


@pytest.fixture
async def gateway(tmp_path: Path, clock: time_machine.Traveller) -> AsyncIterator[Gateway]:  # noqa: ARG001 - first
    """A gateway at a clock that stands still, whose cookie reaches the applications."""
    more = {"GATEWAY_PUBLIC_URL": "http://auth.example.com", "GATEWAY_COOKIE_DOMAIN": "example.com"}
    async with start_gateway(environment(tmp_path, TWO_FACTOR_TEMP_MAX="100000", **more)) as running:
        yield running


@pytest.fixture
async def app(gateway: Gateway, clock: time_machine.Traveller) -> App:
    app = (await enrol(gateway)).app
    clock.shift(STEP)
    return app


async def _give_password(person: Person, path: str = LOGIN) -> str:
    """Log in as far as the password; gives where the browser is sent."""
    sent = await person.fill_in(path, email=ADMIN_EMAIL, password=ADMIN_PASSWORD)
    assert sent.status == HTTPStatus.SEE_OTHER
    return sent.headers["Location"]


async def test_password_leads_to_the_code_and_the_code_to_the_application(person: Person, app: App) -> None:
    """S8, D1, D3: until the code was right there is no session."""
    before = person.cookies.copy()
    assert await _give_password(person) == STEP_TWO
    assert "gateway_session" not in person.cookies
    assert (await person.open("/")).headers["Location"] == "/login"
    page = await person.open(STEP_TWO)
    assert page.status == HTTPStatus.OK
    assert "form-action 'self' http://app.example.com;" in page.headers["Content-Security-Policy"]
    assert "app.example.com" in await page.text()
    done = await person.fill_in(STEP_TWO, code=app.code())
    assert done.status == HTTPStatus.SEE_OTHER
    assert done.headers["Location"] == APP
    assert "gateway_challenge" not in person.cookies
    passed = await person.gateway.check(APP, Cookie=f"gateway_session={person.cookies['gateway_session']}")
    assert passed.headers["Remote-Auth-Level"] == "2"
    assert not before


async def test_cookie_of_the_half_finished_login_is_for_this_browser_only(person: Person, app: App) -> None:
    """M4, S6."""
    page = await person.open(LOGIN)
    fields = {"form_token": (await page.text()).partition('name="form_token" value="')[2].partition('"')[0]}
    sent = await person.post("/login", {**fields, "email": ADMIN_EMAIL, "password": ADMIN_PASSWORD})
    cookie = sent.cookies["gateway_challenge"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Strict"
    assert cookie["path"] == "/"
    assert not cookie["domain"], "the applications never see it"
    assert cookie["max-age"] == "300"
    stranger = Person(person.gateway)
    refused = await stranger.open(STEP_TWO)
    assert refused.headers["Location"] == LOGIN
    assert app.code()


async def test_https_portal_gives_it_the_host_prefix(tmp_path: Path) -> None:
    """S6."""
    environ = environment(tmp_path, GATEWAY_PUBLIC_URL="https://auth.example.com")
    async with start_gateway(environ) as gateway:
        await enrol(gateway)
        person = Person(gateway)
        await _give_password(person)
        assert "__Host-gateway_challenge" in person.cookies


@pytest.mark.parametrize("code", ["", "12345", "abcdef"])
async def test_wrong_code_is_said_and_counted(
    person: Person, app: App, clock: time_machine.Traveller, code: str
) -> None:
    """M2, M3."""
    await _give_password(person)
    for _ in range(4):
        refused = await person.fill_in(STEP_TWO, code=code)
        assert refused.status == HTTPStatus.UNAUTHORIZED
        assert "not right" in await refused.text()
    # The fifth one ends this login, and begins a pause of the account.
    assert (await person.fill_in(STEP_TWO, code=code)).status == HTTPStatus.UNAUTHORIZED
    ended = await person.post("/login/second-factor", {"code": app.code(), "form_token": "x"})
    assert ended.status == HTTPStatus.FORBIDDEN
    await _give_password(person)
    paused = await person.fill_in(STEP_TWO, code=app.code())
    assert paused.status == HTTPStatus.TOO_MANY_REQUESTS
    assert int(paused.headers["Retry-After"]) >= 1
    clock.shift(timedelta(seconds=5))
    assert (await person.fill_in(STEP_TWO, code=app.code())).headers["Location"] == APP


async def test_login_that_waited_too_long_begins_again(person: Person, app: App, clock: time_machine.Traveller) -> None:
    await _give_password(person)
    page = await (await person.open(STEP_TWO)).text()
    token = page.partition('name="form_token" value="')[2].partition('"')[0]
    clock.shift(timedelta(minutes=5))
    for answer in (
        await person.post("/login/second-factor", {"form_token": token, "rd": APP, "code": app.code()}),
        await person.open(STEP_TWO),
    ):
        assert answer.status == HTTPStatus.SEE_OTHER
        assert answer.headers["Location"] == LOGIN
    assert "has expired" in await (await person.open(LOGIN)).text()


async def test_session_before_goes_on_until_the_new_one_is_there(
    person: Person, app: App, clock: time_machine.Traveller
) -> None:
    """S2."""
    await _give_password(person)
    await person.fill_in(STEP_TWO, code=app.code())
    first = f"gateway_session={person.cookies['gateway_session']}"
    clock.shift(STEP)
    elsewhere = Person(person.gateway)
    await _give_password(elsewhere)
    both = replace(elsewhere, cookies={**elsewhere.cookies, "gateway_session": person.cookies["gateway_session"]})
    assert (await person.gateway.check(APP, Cookie=first)).status == HTTPStatus.OK
    assert (await both.fill_in(STEP_TWO, code=app.code())).headers["Location"] == APP
    assert (await person.gateway.check(APP, Cookie=first)).status == HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize("rd", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "http://app.example.com@evil.example/"])  # fmt: skip  # noqa: E501
async def test_return_url_of_another_site_is_dropped(person: Person, app: App, rd: str) -> None:
    """D1, D2: looked at anew in each step."""
    assert await _give_password(person, f"/login?rd={quote(rd, safe='')}") == "/login/second-factor"
    page = await person.open(f"/login/second-factor?rd={quote(rd, safe='')}")
    assert "evil" not in await page.text()
    token = (await (await person.open("/login/second-factor")).text()).partition('name="form_token" value="')[2]
    done = await person.post(
        "/login/second-factor", {"form_token": token.partition('"')[0], "rd": rd, "code": app.code()}
    )
    assert done.headers["Location"] == "/"


async def test_remembered_login_is_remembered_after_the_code(person: Person, app: App) -> None:
    sent = await person.fill_in("/login", email=ADMIN_EMAIL, password=ADMIN_PASSWORD, remember_me="on")
    done = await person.fill_in(sent.headers["Location"], code=app.code())
    assert done.cookies["gateway_session"]["max-age"] == str(30 * 24 * 3600)


async def test_another_sites_page_cannot_send_the_form(person: Person, app: App) -> None:
    """S9."""
    await _give_password(person)
    refused = await person.post("/login/second-factor", {"code": app.code()}, **{"Sec-Fetch-Site": "cross-site"})
    assert refused.status == HTTPStatus.FORBIDDEN
    forged = await person.post("/login/second-factor", {"code": app.code(), "form_token": "forged"})
    assert forged.status == HTTPStatus.FORBIDDEN
    assert "gateway_session" not in person.cookies


async def test_logging_out_forgets_the_half_finished_login(person: Person, app: App) -> None:
    """S8."""
    await _give_password(person)
    await person.fill_in(STEP_TWO, action="/logout")
    assert "gateway_challenge" not in person.cookies
    assert (await person.open(STEP_TWO)).headers["Location"] == LOGIN
    assert (await finish(person.gateway, await half_log_in(person.gateway), app.code())).status == HTTPStatus.OK
