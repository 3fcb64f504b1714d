"""What a rule that wants a second factor makes of a visitor: people are sent to get one, programs are told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.forms import Person
from tests.support.gateway import Gateway, environment, start_gateway
from tests.support.second_factor import App, enrol

pytestmark = pytest.mark.usefixtures("lane")

VAULT = "http://vault.example.com:8080/reports?page=2&sort=name"
PUBLIC_URL = "http://auth.example.com"
NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Accept": "text/html"}
RULES = """
access_control:
  default_policy: one_factor
  rules:
    - {name: vault, domain: vault.example.com, policy: two_factor}
"""


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    """A gateway with a vault, whose portal may send people back to it."""
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    more = {"GATEWAY_PUBLIC_URL": PUBLIC_URL, "GATEWAY_COOKIE_DOMAIN": "example.com"}
    async with start_gateway(environment(tmp_path / "data", **more), config=rules) as running:
        yield running


def _traefik(method: str) -> dict[str, str]:
    url = urlsplit(VAULT)
    return {
        "X-Forwarded-Method": method,
        "X-Forwarded-Proto": url.scheme,
        "X-Forwarded-Host": url.netloc,
        "X-Forwarded-Uri": f"{url.path}?{url.query}",
    }


def _enrol_page(location: str) -> str:
    """Give the return URL of the page where a second factor is set up."""
    assert location.startswith(f"{PUBLIC_URL}/second-factor?rd=")
    return parse_qs(urlsplit(location).query)["rd"][0]


async def test_person_without_a_factor_is_sent_to_enrol_behind_nginx(gateway: Gateway) -> None:
    session = await gateway.session()
    response = await gateway.check(VAULT, Cookie=session.cookie, **NAVIGATION)
    assert response.status == HTTPStatus.UNAUTHORIZED
    assert response.headers["X-Auth-Challenge"] == "redirect"
    assert response.headers["X-Auth-Reason"] == "second_factor_required"
    assert _enrol_page(response.headers["Location"]) == VAULT
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize(("method", "status"), [("GET", 302), ("HEAD", 302), ("POST", 303)])
async def test_person_without_a_factor_is_sent_to_enrol_behind_other_proxies(
    gateway: Gateway, method: str, status: int
) -> None:
    """D3."""
    session = await gateway.session()
    headers = {**_traefik(method), **NAVIGATION, "Cookie": session.cookie}
    response = await gateway.ask("/api/authz/forward-auth", **headers)
    assert response.status == status
    assert _enrol_page(response.headers["Location"]) == VAULT


@pytest.mark.parametrize("path", ["/api/authz/auth-request", "/api/authz/forward-auth"])
async def test_program_is_told_that_a_second_factor_is_wanted(gateway: Gateway, path: str) -> None:
    session = await gateway.session()
    asked = {**_traefik("GET"), "X-Original-URL": VAULT, "X-Original-Method": "GET", "Accept": "application/json"}
    for credential in ({"Cookie": session.cookie}, {"Authorization": session.bearer}):
        response = await gateway.ask(path, **asked, **credential)
        assert response.status == HTTPStatus.FORBIDDEN
        assert "Location" not in response.headers
        assert (await response.json())["code"] == "second_factor_required"


async def test_token_in_a_header_is_refused_even_in_a_browser(gateway: Gateway) -> None:
    """Enrolling would not help it: the page takes the cookie."""
    session = await gateway.session()
    response = await gateway.check(VAULT, Authorization=session.bearer, **NAVIGATION)
    assert response.status == HTTPStatus.FORBIDDEN
    assert "Location" not in response.headers


async def test_stranger_is_asked_to_log_in(gateway: Gateway) -> None:
    response = await gateway.check(VAULT, **NAVIGATION)
    assert urlsplit(response.headers["Location"]).path == "/login"


async def test_whoever_comes_back_enrolled_passes_at_once(gateway: Gateway) -> None:
    session = await gateway.session()
    person = Person(gateway, dict([session.cookie.split("=", 1)]))
    sent = urlsplit((await gateway.check(VAULT, Cookie=session.cookie, **NAVIGATION)).headers["Location"])
    page = await (await person.open(f"{sent.path}?{sent.query}")).text()
    app = App(page.partition("<dt>Key</dt><dd><code>")[2].partition("</code>")[0].replace(" ", ""))
    shown = await person.fill_in(f"{sent.path}?{sent.query}", code=app.code())
    assert shown.status == HTTPStatus.OK
    assert f'href="{VAULT.replace("&", "&amp;")}"' in await shown.text()
    cookie = f"gateway_session={person.cookies['gateway_session']}"
    passed = await gateway.check(VAULT, Cookie=cookie, **NAVIGATION)
    assert passed.status == HTTPStatus.OK
    assert passed.headers["Remote-Auth-Level"] == "2"


async def test_session_with_a_second_factor_passes_by_cookie_and_by_token(gateway: Gateway) -> None:
    enrolled = await enrol(gateway)
    for credential in ({"Cookie": enrolled.session.cookie}, {"Authorization": enrolled.session.bearer}):
        assert (await gateway.check(VAULT, **credential)).status == HTTPStatus.OK
