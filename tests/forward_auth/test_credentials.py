"""Every credential that a check takes, over HTTP."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from gateway.credentials.passwords import PasswordHashing
from tests.support.gateway import ADMIN_EMAIL, ADMIN_PASSWORD, APP_URL, Gateway, environment, start_gateway

pytestmark = pytest.mark.usefixtures("lane")

RULES = """
basic_credentials: true
identity_headers:
  presets: [authelia, oauth2-proxy]
access_control:
  default_policy: one_factor
  rules:
    - {name: cors, domain: api.example.com, path: ["/cors/**"], policy: one_factor, allow_preflight: true}
    - {name: keys only, domain: api.example.com, path: ["/v1/**"], credentials: [api_key], policy: one_factor}
    - {name: vault, domain: vault.example.com, policy: two_factor}
    - {name: closed, domain: closed.example.com, policy: deny}
    - {name: open, domain: open.example.com, policy: bypass}
    - {name: query, domain: query.example.com, query: [{operator: pattern, key: q, value: "^x"}], policy: bypass}
"""
NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Accept": "text/html"}


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    """A gateway with rules about credentials."""
    async with _configured(tmp_path, RULES) as running:
        yield running


def _configured(folder: Path, text: str) -> AbstractAsyncContextManager[Gateway]:
    config = folder / "gateway.yaml"
    config.write_text(text)
    return start_gateway(environment(folder / "data"), config=config)


async def _make_key(gateway: Gateway, **body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    session = await gateway.session()
    response = await gateway.client.post(
        f"{gateway.url}/api/api-keys", json={"name": "robot", **body}, headers={"Authorization": session.bearer}
    )
    assert response.status == HTTPStatus.CREATED, await response.text()
    made: dict[str, Any] = await response.json()
    return made


def _basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


@pytest.mark.parametrize("place", ["bearer", "x-api-key", "basic"])
async def test_api_key_passes_in_each_of_its_places(gateway: Gateway, place: str) -> None:
    """K2."""
    key = (await _make_key(gateway))["key"]
    header = {
        "bearer": {"Authorization": f"Bearer {key}"},
        "x-api-key": {"X-API-Key": key},
        "basic": {"Authorization": _basic("anything", key)},
    }[place]
    response = await gateway.check(**header)
    assert response.status == HTTPStatus.OK
    assert response.headers["Remote-User"] == ADMIN_EMAIL
    assert response.headers["Remote-Auth-Method"] == "api_key"
    assert response.headers["X-Auth-Strip"] == ("x-api-key" if place == "x-api-key" else "authorization")


@pytest.mark.parametrize("change", ["unknown", "checksum", "short"])
async def test_bad_key_decides_alone_and_never_falls_back_to_the_cookie(gateway: Gateway, change: str) -> None:
    key = (await _make_key(gateway))["key"]
    bad = {"unknown": "lc_ak_" + "x" * 38, "checksum": key[:-1] + ("0" if key[-1] != "0" else "1"), "short": "lc_ak_"}
    session = await gateway.session()
    for header in ({"Authorization": f"Bearer {bad[change]}"}, {"X-API-Key": bad[change]}):
        response = await gateway.check(Cookie=session.cookie, **header)
        assert response.status == HTTPStatus.UNAUTHORIZED
        assert response.headers["X-Auth-Reason"] == "invalid_api_key"


async def test_deleted_key_is_refused_at_once(gateway: Gateway) -> None:
    """K3."""
    made = await _make_key(gateway)
    assert (await gateway.check(**{"X-API-Key": made["key"]})).status == HTTPStatus.OK
    bearer = (await gateway.session()).bearer
    await gateway.ask(f"/api/api-keys/{made['id']}", method="DELETE", Authorization=bearer)
    response = await gateway.check(**{"X-API-Key": made["key"]})
    assert response.status == HTTPStatus.UNAUTHORIZED
    assert response.headers["X-Auth-Reason"] == "invalid_api_key"


async def test_key_outside_its_scope_is_known_but_not_permitted(gateway: Gateway) -> None:
    """K3, C2."""
    made = await _make_key(gateway, scopes=[{"host": "app.example.com", "path": "/api/**", "methods": ["GET"]}])
    asked = {
        ("http://app.example.com/api/convos", "GET"): 200,
        ("http://app.example.com/api/convos", "POST"): 403,
        ("http://app.example.com/admin", "GET"): 403,
        ("http://other.example.com/api/convos", "GET"): 403,
        ("http://app.example.com/api/..%2fadmin", "GET"): 403,
        ("http://app.example.com/api/%2e%2e/admin", "GET"): 403,
    }
    answers = {}
    for url, method in asked:
        response = await gateway.check(url, method=method, **{"X-API-Key": made["key"]})
        answers[url, method] = response.status
        if response.status == HTTPStatus.FORBIDDEN:
            assert response.headers["X-Auth-Reason"] == "insufficient_scope"
    assert answers == asked


async def test_two_different_credentials_are_refused_and_the_same_twice_is_one(gateway: Gateway) -> None:
    """K2."""
    one, other = (await _make_key(gateway))["key"], (await _make_key(gateway))["key"]
    twice = await gateway.check(Authorization=f"Bearer {one}", **{"X-API-Key": one})
    assert twice.status == HTTPStatus.OK
    assert twice.headers["X-Auth-Strip"] == "authorization, x-api-key"
    assert (await gateway.check(Authorization=f"Bearer {one}", **{"X-API-Key": other})).status == 401
    token = (await gateway.session()).bearer
    assert (await gateway.check(Authorization=token, **{"X-API-Key": one})).status == 401


async def test_rule_looks_only_at_the_kinds_it_takes(gateway: Gateway) -> None:
    url = "http://api.example.com/v1/models"
    session = await gateway.session()
    key = (await _make_key(gateway))["key"]
    assert (await gateway.check(url, Cookie=session.cookie)).status == HTTPStatus.UNAUTHORIZED
    assert (await gateway.check(url, Authorization=session.bearer)).status == HTTPStatus.UNAUTHORIZED
    assert (await gateway.check(url, **{"X-API-Key": key})).status == HTTPStatus.OK


async def test_basic_passes_with_the_right_password_and_is_remembered(gateway: Gateway) -> None:
    for _ in range(2):
        response = await gateway.check(Authorization=_basic(ADMIN_EMAIL, ADMIN_PASSWORD))
        assert response.status == HTTPStatus.OK
        assert response.headers["Remote-Auth-Method"] == "basic"
        assert response.headers["X-Auth-Strip"] == "authorization"
    assert (await gateway.check(Authorization=_basic("nobody", "x"))).status == HTTPStatus.UNAUTHORIZED


async def test_basic_is_throttled_like_every_login(gateway: Gateway) -> None:
    """L6."""
    answers = [await gateway.check(Authorization=_basic(ADMIN_EMAIL, f"guess {number}")) for number in range(6)]
    assert [response.status for response in answers] == [401] * 5 + [429]
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert (await gateway.log_in()).status == HTTPStatus.TOO_MANY_REQUESTS


async def test_basic_ends_with_the_password(gateway: Gateway) -> None:
    header = {"Authorization": _basic(ADMIN_EMAIL, ADMIN_PASSWORD)}
    assert (await gateway.check(**header)).status == HTTPStatus.OK
    session = await gateway.session()
    body = {"currentPassword": ADMIN_PASSWORD, "newPassword": "another long password"}
    changed = await gateway.client.post(
        f"{gateway.url}/api/auth/changePassword", json=body, headers={"Authorization": session.bearer}
    )
    assert changed.status == HTTPStatus.OK
    assert (await gateway.check(**header)).status == HTTPStatus.UNAUTHORIZED


async def test_basic_is_not_ours_until_it_is_switched_on(tmp_path: Path) -> None:
    async with start_gateway(environment(tmp_path)) as gateway:
        session = await gateway.session()
        response = await gateway.check(Cookie=session.cookie, Authorization=_basic("app", "its own"))
        assert response.status == HTTPStatus.OK
        assert response.headers["X-Auth-Strip"] == "cookie"
        alone = await gateway.check(Authorization=_basic(ADMIN_EMAIL, ADMIN_PASSWORD))
        assert alone.status == HTTPStatus.UNAUTHORIZED


async def test_preflight_passes_only_where_a_rule_says_so(gateway: Gateway) -> None:
    """C6."""
    preflight = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "POST"}
    passed = await gateway.check("http://api.example.com/cors/x", method="OPTIONS", **preflight)
    assert passed.status == HTTPStatus.OK
    assert passed.headers["Remote-User"] == ""
    assert (await gateway.check("http://api.example.com/cors/x", method="OPTIONS")).status == 401
    assert (await gateway.check("http://api.example.com/other", method="OPTIONS", **preflight)).status == 401


async def test_second_factor_is_named_where_a_rule_wants_it(gateway: Gateway) -> None:
    url = "http://vault.example.com/"
    assert (await gateway.check(url)).status == HTTPStatus.UNAUTHORIZED
    response = await gateway.check(url, Cookie=(await gateway.session()).cookie)
    assert response.status == HTTPStatus.FORBIDDEN
    assert response.headers["X-Auth-Reason"] == "second_factor_required"


async def test_presets_are_all_there(gateway: Gateway) -> None:
    """B1."""
    known = await gateway.check(Cookie=(await gateway.session()).cookie)
    assert known.headers["X-Auth-Request-Email"] == known.headers["Remote-Email"] == ADMIN_EMAIL


async def test_traefik_shows_a_refused_browser_the_page(gateway: Gateway) -> None:
    session = await gateway.session()
    asked = {
        "X-Forwarded-Method": "GET",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": "closed.example.com",
        "X-Forwarded-Uri": "/",
        "Cookie": session.cookie,
    }
    page = await gateway.ask("/api/authz/forward-auth", **asked, **NAVIGATION)
    assert page.status == HTTPStatus.FORBIDDEN
    assert page.content_type == "text/html"
    text = await page.text()
    assert page.headers["X-Decision-Id"] in text
    assert f"{gateway.settings.public_url}/logout" in text
    assert gateway.settings.public_url in page.headers["Content-Security-Policy"]
    program = await gateway.ask("/api/authz/forward-auth", **asked)
    assert (await program.json())["code"] == "forbidden"


async def test_answer_that_would_not_fit_is_refused_and_not_cut(tmp_path: Path) -> None:
    names = "\n".join(f"    X-Copy-{number}: email" for number in range(40))
    text = f"max_answer_headers: 1024\nidentity_headers:\n  headers:\n{names}\n"
    async with _configured(tmp_path, text) as gateway:
        response = await gateway.check(APP_URL, Cookie=(await gateway.session()).cookie)
        assert response.status == HTTPStatus.FORBIDDEN
        assert response.headers["X-Auth-Reason"] == "answer_too_large"


async def test_quick_answer_does_not_tell_who_guessed_right(gateway: Gateway) -> None:
    """L6: while the account pauses, the right password is not told from a wrong one, though it was proven before."""
    owner = {"Authorization": _basic(ADMIN_EMAIL, ADMIN_PASSWORD)}
    for guesser in ("203.0.113.9", None):
        assert (await gateway.check(**owner)).status in {HTTPStatus.OK, HTTPStatus.TOO_MANY_REQUESTS}
        source = {} if guesser is None else {"X-Forwarded-For": guesser}
        for number in range(6):
            await gateway.check(Authorization=_basic(ADMIN_EMAIL, f"guess {number}"), **source)
        assert (await gateway.check(**owner, **source)).status == HTTPStatus.TOO_MANY_REQUESTS


async def test_throttle_holds_nobody_back_where_no_password_is_wanted(gateway: Gateway) -> None:
    for number in range(7):
        await gateway.check(Authorization=_basic(ADMIN_EMAIL, f"guess {number}"))
    wrong = {"Authorization": _basic(ADMIN_EMAIL, "guess")}
    assert (await gateway.check(**wrong)).status == HTTPStatus.TOO_MANY_REQUESTS
    assert (await gateway.check("http://open.example.com/", **wrong)).status == HTTPStatus.OK


async def test_password_above_the_maximum_is_refused_before_it_is_hashed(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L4, L8."""

    async def never(*_: object, **__: object) -> bool:
        raise AssertionError

    monkeypatch.setattr(PasswordHashing, "verify", never)
    response = await gateway.check(Authorization=_basic(ADMIN_EMAIL, "a" * 2000))
    assert response.status == HTTPStatus.UNAUTHORIZED


async def test_query_of_any_bytes_is_judged(gateway: Gateway) -> None:
    """A1: zero 5xx."""
    head = {b"X-Original-URL": b"http://query.example.com/?q=\xff", b"X-Original-Method": b"GET"}
    headers = {name.decode(): value.decode("utf-8", "surrogateescape") for name, value in head.items()}
    response = await gateway.proxy.get(f"{gateway.url}/api/authz/auth-request", headers=headers)
    assert response.status == HTTPStatus.UNAUTHORIZED


async def test_method_of_any_length_is_not_remembered(gateway: Gateway) -> None:
    """N3."""
    assert (await gateway.check(method="A" * 33)).headers["X-Auth-Reason"] == "malformed_request"


async def test_scope_that_costs_too_much_is_refused(gateway: Gateway) -> None:
    """N3."""
    session = await gateway.session()
    for path in ("/" + "a*" * 9, "/" + "a" * 256):
        response = await gateway.client.post(
            f"{gateway.url}/api/api-keys",
            json={"name": "robot", "scopes": [{"path": path}]},
            headers={"Authorization": session.bearer},
        )
        assert response.status == HTTPStatus.BAD_REQUEST
        assert "scopes" in (await response.json())["fields"]
