"""The pages on which a person sets up a second factor, and changes it, without JavaScript."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

import pytest
import time_machine

from tests.support.commands import run_command
from tests.support.forms import Person
from tests.support.gateway import ADMIN_EMAIL, ADMIN_PASSWORD, Gateway, environment, start_gateway
from tests.support.second_factor import STEP, App, clock_of_codes

APP = "http://app.example.com/reports?page=2&sort=name"
PAGE = f"/second-factor?rd={quote(APP, safe='')}"


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with clock_of_codes() as clock:
        yield clock


@pytest.fixture
async def gateway(tmp_path: Path, clock: time_machine.Traveller) -> AsyncIterator[Gateway]:  # noqa: ARG001 - first
    more = {"GATEWAY_PUBLIC_URL": "http://auth.example.com", "GATEWAY_COOKIE_DOMAIN": "example.com"}
    async with start_gateway(environment(tmp_path, TWO_FACTOR_TEMP_MAX="100000", **more)) as running:
        yield running


@pytest.fixture
async def person(gateway: Gateway) -> Person:
    """Somebody who has logged in with their password."""
    person = Person(gateway)
    await person.fill_in("/login", email=ADMIN_EMAIL, password=ADMIN_PASSWORD)
    return person


async def _app_of(person: Person, path: str = PAGE) -> App:
    """Read the key from the page into an app."""
    page = await (await person.open(path)).text()
    key = re.search(r"<dt>Key</dt><dd><code>([A-Z2-7 ]+)</code>", page)
    assert key, page
    return App(key[1].replace(" ", ""))


def _codes_on(page: str) -> list[str]:
    return ["".join(pair) for pair in re.findall(r"<li><code>(\d{4}) (\d{4})</code></li>", page)]


async def _enrol(person: Person, clock: time_machine.Traveller) -> App:
    app = await _app_of(person)
    page = await (await person.fill_in(PAGE, code=app.code())).text()
    clock.shift(STEP)
    return App(app.secret, _codes_on(page))


async def test_enrolling_shows_recovery_codes_and_leads_back(person: Person, clock: time_machine.Traveller) -> None:
    """S2, M6, M7."""
    before = person.cookies["gateway_session"]
    page = await person.open(PAGE)
    text = await page.text()
    assert re.search(r'<svg [^>]*class="qr"', text)
    assert "data:" not in text + page.headers["Content-Security-Policy"], "no picture needs an exception"
    assert ADMIN_EMAIL in text
    app = await _app_of(person)
    shown = await person.fill_in(PAGE, code=app.code())
    codes = _codes_on(await shown.text())
    assert shown.status == HTTPStatus.OK
    assert len(codes) == 10
    assert f'href="{APP.replace("&", "&amp;")}"' in await shown.text()
    assert person.cookies["gateway_session"] != before
    assert (await person.gateway.check(APP, Cookie=f"gateway_session={before}")).status == HTTPStatus.UNAUTHORIZED
    assert (await person.open(PAGE)).headers["Location"] == APP, "whoever has one is sent on"
    clock.shift(STEP)
    again = Person(person.gateway)
    sent = await again.fill_in("/login", email=ADMIN_EMAIL, password=ADMIN_PASSWORD)
    assert (await again.fill_in(sent.headers["Location"], code=codes[0])).headers["Location"] == "/"


async def test_page_that_is_loaded_again_shows_the_same_key_to_this_session_only(person: Person) -> None:
    first = await _app_of(person)
    wrong = await person.fill_in(PAGE, code=first.wrong_code())
    assert wrong.status == HTTPStatus.UNAUTHORIZED
    assert "not right" in await wrong.text()
    assert (await _app_of(person)).secret == first.secret
    other = Person(person.gateway)
    await other.fill_in("/login", email=ADMIN_EMAIL, password=ADMIN_PASSWORD)
    assert (await _app_of(other)).secret != first.secret


async def test_enrolment_that_another_session_replaced_begins_again(person: Person) -> None:
    app = await _app_of(person)
    form = await (await person.open(PAGE)).text()
    token = form.partition('name="form_token" value="')[2].partition('"')[0]
    other = Person(person.gateway)
    await other.fill_in("/login", email=ADMIN_EMAIL, password=ADMIN_PASSWORD)
    await _app_of(other)
    sent = await person.post("/second-factor", {"form_token": token, "rd": APP, "code": app.code()})
    assert sent.headers["Location"] == PAGE
    assert "Begin again" in await (await person.open(PAGE)).text()


async def test_number_of_recovery_codes_left_is_shown(person: Person, clock: time_machine.Traveller) -> None:
    app = await _enrol(person, clock)
    assert "<dd>10</dd>" in await (await person.open("/second-factor")).text()
    again = Person(person.gateway)
    sent = await again.fill_in("/login", email=ADMIN_EMAIL, password=ADMIN_PASSWORD)
    await again.fill_in(sent.headers["Location"], code=app.recovery_codes[0])
    assert "<dd>9</dd>" in await (await again.open("/second-factor")).text()


async def test_new_recovery_codes_need_a_code(person: Person, clock: time_machine.Traveller) -> None:
    """L10."""
    app = await _enrol(person, clock)
    for code in ("", app.wrong_code()):
        refused = await person.fill_in("/second-factor", action="/second-factor/recovery-codes", replace_code=code)
        assert refused.status == HTTPStatus.UNAUTHORIZED
        assert not _codes_on(await refused.text())
    page = await person.fill_in("/second-factor", action="/second-factor/recovery-codes", replace_code=app.code())
    codes = _codes_on(await page.text())
    assert len(codes) == 10
    assert not set(codes) & set(app.recovery_codes)


async def test_switching_off_needs_a_code(person: Person, clock: time_machine.Traveller) -> None:
    """L10."""
    app = await _enrol(person, clock)
    refused = await person.fill_in("/second-factor", action="/second-factor/disable", disable_code=app.wrong_code())
    assert refused.status == HTTPStatus.UNAUTHORIZED
    done = await person.fill_in("/second-factor", action="/second-factor/disable", disable_code=app.code())
    assert done.headers["Location"] == "/"
    assert "is off" in await (await person.open("/")).text()
    again = Person(person.gateway)
    sent = await again.fill_in("/login", email=ADMIN_EMAIL, password=ADMIN_PASSWORD)
    assert sent.headers["Location"] == "/"


@pytest.mark.parametrize(
    ("path", "login"), [(PAGE, f"/login?rd={quote(APP, safe='')}"), ("/second-factor", "/login?rd=%2Fsecond-factor")]
)
async def test_stranger_logs_in_first(gateway: Gateway, path: str, login: str) -> None:
    stranger = Person(gateway)
    assert (await stranger.open(path)).headers["Location"] == login
    for action in ("", "/recovery-codes", "/disable"):
        sent = await stranger.post(f"/second-factor{action}", {"rd": APP, "code": "123456"})
        assert sent.status == HTTPStatus.SEE_OTHER
        assert sent.headers["Location"].startswith("/login?rd=")


async def test_handed_over_password_is_changed_first(gateway: Gateway) -> None:
    added = await run_command(gateway, "user", "add", "--email", "ann@example.com", "--name", "Ann", "--json")
    ann = Person(gateway)
    await ann.fill_in("/login", email="ann@example.com", password=added.json["password"])
    assert (await ann.open(PAGE)).headers["Location"] == f"/change-password?rd={quote(APP, safe='')}"


@pytest.mark.parametrize("action", ["", "/recovery-codes", "/disable"])
async def test_another_sites_page_changes_nothing(person: Person, action: str) -> None:
    """S9."""
    app = await _app_of(person)
    fields = {"code": app.code(), "replace_code": app.code(), "disable_code": app.code()}
    crossed = await person.post(f"/second-factor{action}", fields, **{"Sec-Fetch-Site": "cross-site"})
    assert crossed.status == HTTPStatus.FORBIDDEN
    if not action:
        assert (await person.post("/second-factor", fields)).status == HTTPStatus.FORBIDDEN, "without the form's token"


async def test_home_leads_to_it(person: Person) -> None:
    assert 'href="/second-factor"' in await (await person.open("/")).text()


async def test_bare_copy_of_the_session_cookie_does_not_see_the_key(gateway: Gateway, person: Person) -> None:
    """M6: an application below the cookie domain may have seen that cookie, and none of the pages' own."""
    thief = Person(gateway, {"gateway_session": person.cookies["gateway_session"]})
    app = await _app_of(person)
    stolen = await _app_of(thief)
    assert stolen.secret != app.secret
    late = await person.fill_in(PAGE, code=app.code())
    # The thief began another one meanwhile: neither key counts, and the page says that it begins again.
    assert late.status in {HTTPStatus.SEE_OTHER, HTTPStatus.UNAUTHORIZED}
    again = await _app_of(person)
    assert again.secret not in {app.secret, stolen.secret}
    assert (await person.fill_in(PAGE, code=again.code())).status == HTTPStatus.OK
