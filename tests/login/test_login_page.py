"""The login page, as it works without JavaScript."""

from __future__ import annotations

from http import HTTPStatus
from io import BytesIO
from urllib.parse import quote

import pytest

from tests.support.forms import Person
from tests.support.gateway import ADMIN_EMAIL, ADMIN_PASSWORD, Gateway

RIGHT = {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}
APPLICATION = "http://localhost:8080/reports?page=2"


async def test_login_leads_back_to_where_the_visitor_was(person: Person) -> None:
    response = await person.fill_in(f"/login?rd={quote(APPLICATION, safe='')}", **RIGHT)
    assert response.status == HTTPStatus.SEE_OTHER
    assert response.headers["Location"] == APPLICATION
    assert "gateway_session" in person.cookies


async def test_return_url_may_have_the_name_that_librechat_gives_it(person: Person) -> None:
    response = await person.fill_in("/login?redirect_to=%2Fsecond-factor", **RIGHT)
    assert response.headers["Location"] == "/second-factor"


async def test_login_without_a_return_url_leads_home(person: Person) -> None:
    response = await person.fill_in("/login", **RIGHT)
    assert response.headers["Location"] == "/"
    home = await person.open("/")
    assert "Administrator" in await home.text()


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "javascript:alert(1)",
        "http://localhost@evil.example/",
        "http:\\\\evil.example/",
        "http://localhost.evil.example/",
        "\thttp://evil.example/",
        "data:text/html,x",
    ],
)
async def test_foreign_return_urls_lead_home(person: Person, target: str) -> None:
    """D1, D2."""
    response = await person.fill_in(f"/login?rd={quote(target, safe='')}", **RIGHT)
    assert response.headers["Location"] == "/"


async def test_wrong_password_shows_the_form_again_with_the_address_kept(person: Person) -> None:
    response = await person.fill_in("/login", email=ADMIN_EMAIL, password="no")
    page = await response.text()
    assert response.status == HTTPStatus.UNAUTHORIZED
    assert "Email or password is incorrect" in page
    assert f'value="{ADMIN_EMAIL}"' in page
    assert "gateway_session" not in person.cookies


async def test_malformed_address_is_named_at_its_field(person: Person) -> None:
    response = await person.fill_in("/login", email="nobody", password="x")
    assert response.status == HTTPStatus.BAD_REQUEST
    assert 'aria-invalid="true"' in await response.text()


async def test_form_without_our_token_is_refused(person: Person) -> None:
    """S9."""
    await person.open("/login")
    for fields in (RIGHT, {**RIGHT, "form_token": "guessed"}):
        response = await person.post("/login", fields)
        assert response.status == HTTPStatus.FORBIDDEN
        assert "gateway_session" not in person.cookies


async def test_form_token_of_another_browser_is_refused(gateway: Gateway, person: Person) -> None:
    """S9."""
    other = Person(gateway)
    response = await other.fill_in("/login", **RIGHT)
    assert response.status == HTTPStatus.SEE_OTHER
    await person.open("/login")
    page = await Person(gateway).open("/login")
    stolen = (await page.text()).partition('name="form_token" value="')[2].partition('"')[0]
    assert (await person.post("/login", {**RIGHT, "form_token": stolen})).status == HTTPStatus.FORBIDDEN


async def test_post_from_another_site_is_refused(person: Person) -> None:
    """S9."""
    await person.open("/login")
    response = await person.post("/login", RIGHT, **{"Sec-Fetch-Site": "cross-site"})
    assert response.status == HTTPStatus.FORBIDDEN


async def test_second_login_ends_the_session_before(gateway: Gateway, person: Person) -> None:
    """S2."""
    await person.fill_in("/login", **RIGHT)
    before = person.cookies.pop("gateway_session")
    page = await person.open("/login")
    token = (await page.text()).partition('name="form_token" value="')[2].partition('"')[0]
    person.cookies["gateway_session"] = before
    response = await person.post("/login", {**RIGHT, "form_token": token})
    assert response.status == HTTPStatus.SEE_OTHER
    assert person.cookies["gateway_session"] != before
    assert (await gateway.check(Cookie=f"gateway_session={before}")).status == HTTPStatus.UNAUTHORIZED


async def test_logout_by_the_button_ends_the_session_and_says_so(gateway: Gateway, person: Person) -> None:
    """S3."""
    await person.fill_in("/login", **RIGHT)
    cookie = f"gateway_session={person.cookies['gateway_session']}"
    response = await person.fill_in("/", action="/logout")
    assert response.headers["Location"] == "/login"
    assert "gateway_session" not in person.cookies
    assert (await gateway.check(Cookie=cookie)).status == HTTPStatus.UNAUTHORIZED
    assert "You are logged out." in await (await person.open("/login")).text()
    assert "You are logged out." not in await (await person.open("/login")).text()


async def test_whoever_is_logged_in_is_sent_on(person: Person) -> None:
    await person.fill_in("/login", **RIGHT)
    response = await person.open(f"/login?rd={quote(APPLICATION, safe='')}")
    assert response.status == HTTPStatus.SEE_OTHER
    assert response.headers["Location"] == APPLICATION


async def test_third_arrival_for_one_page_is_explained_instead_of_sent_back(person: Person) -> None:
    await person.fill_in("/login", **RIGHT)
    arrivals = [await person.open(f"/login?rd={quote(APPLICATION, safe='')}") for _ in range(3)]
    assert [response.status for response in arrivals] == [303, 303, 200]
    assert "cookie" in await arrivals[-1].text()


async def test_arrivals_for_different_pages_are_no_loop(person: Person) -> None:
    await person.fill_in("/login", **RIGHT)
    arrivals = [await person.open(f"/login?rd=http%3A%2F%2Flocalhost%2F{number}") for number in range(4)]
    assert {response.status for response in arrivals} == {303}


async def test_page_is_locked_against_foreign_content(person: Person) -> None:
    """W1."""
    response = await person.open(f"/login?rd={quote(APPLICATION, safe='')}")
    policy = response.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "form-action 'self' http://localhost:8080;" in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"


async def test_what_was_typed_is_escaped(person: Person) -> None:
    """W2."""
    response = await person.fill_in("/login", email='"><script>x</script>', password="x")
    assert "<script>x" not in await response.text()


@pytest.mark.parametrize("raw", [b"email=%FF&password=x", b"a=b&" * 200, b"\xff\xfe"])
async def test_unreadable_forms_are_refused(gateway: Gateway, raw: bytes) -> None:
    response = await gateway.client.post(
        f"{gateway.url}/login", data=raw, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert response.status == HTTPStatus.BAD_REQUEST


async def test_form_above_the_limit_is_refused(gateway: Gateway) -> None:
    response = await gateway.client.post(
        f"{gateway.url}/login",
        data=BytesIO(b"password=" + b"x" * 1024 * 1024),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert response.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
