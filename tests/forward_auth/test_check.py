"""The check over HTTP, as nginx and Traefik ask it."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.config.identity_headers import PRESETS
from tests.support.gateway import ADMIN_EMAIL, APP_URL, Gateway, environment, start_gateway

pytestmark = pytest.mark.usefixtures("lane")

IDENTITY_HEADERS = tuple(PRESETS["authelia"])
TRAEFIK = {
    "X-Forwarded-Method": "GET",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Host": "app.example.com:8080",
    "X-Forwarded-Uri": "/reports?page=2&sort=name",
}
NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Accept": "text/html"}

RULES = """
access_control:
  default_policy: deny
  rules:
    - {name: open, domain: app.example.com, path: ["/public/**"], policy: bypass}
    - {name: closed, domain: app.example.com, resources: ["^/admin"], policy: deny}
    - {domain: "*.example.com", policy: one_factor}
"""


async def test_stranger_with_a_browser_is_sent_to_log_in_with_the_whole_url(gateway: Gateway) -> None:
    response = await gateway.check(**NAVIGATION)
    assert response.status == HTTPStatus.UNAUTHORIZED
    assert response.headers["X-Auth-Challenge"] == "redirect"
    assert _return_url(response.headers["Location"]) == APP_URL


async def test_program_without_a_credential_is_told_where_to_log_in(gateway: Gateway) -> None:
    response = await gateway.check(Accept="application/json")
    body = await response.json()
    assert response.status == HTTPStatus.UNAUTHORIZED
    assert response.headers["X-Auth-Challenge"] == "json"
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert {"error", "message", "code", "login_url", "decision_id"} <= set(body)
    assert _return_url(body["login_url"]) == APP_URL
    assert body["decision_id"] == response.headers["X-Decision-Id"]


@pytest.mark.parametrize(("method", "status"), [("GET", 302), ("HEAD", 302), ("POST", 303)])
async def test_traefik_gets_the_redirect_itself(gateway: Gateway, method: str, status: int) -> None:
    """A9, D3."""
    response = await gateway.ask("/api/authz/forward-auth", **{**TRAEFIK, "X-Forwarded-Method": method, **NAVIGATION})
    assert response.status == status
    assert _return_url(response.headers["Location"]) == APP_URL


async def test_traefik_gets_a_json_401_without_location_for_a_program(gateway: Gateway) -> None:
    """A9."""
    response = await gateway.ask("/api/authz/forward-auth", **TRAEFIK)
    assert response.status == HTTPStatus.UNAUTHORIZED
    assert "Location" not in response.headers
    assert (await response.json())["code"] == "unauthorized"


@pytest.mark.parametrize("kind", ["session", "jwt"])
async def test_good_credential_passes_with_every_identity_header(gateway: Gateway, kind: str) -> None:
    """B1."""
    session = await gateway.session()
    credential = {"Cookie": session.cookie} if kind == "session" else {"Authorization": session.bearer}
    response = await gateway.check(**credential)
    assert response.status == HTTPStatus.OK
    assert response.headers["Content-Length"] == "0"
    assert set(IDENTITY_HEADERS) <= set(response.headers)
    assert response.headers["Remote-User"] == ADMIN_EMAIL
    assert response.headers["Remote-Role"] == "Organization Admin"
    assert response.headers["Remote-Organization"] == "Default"
    assert response.headers["Remote-Auth-Method"] == kind
    assert response.headers["Remote-Auth-Level"] == "1"
    assert response.headers["X-Auth-Strip"] == {"session": "cookie", "jwt": "authorization"}[kind]
    assert response.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND"])
async def test_any_method_is_a_check(gateway: Gateway, method: str) -> None:
    session = await gateway.session()
    response = await gateway.ask("/api/authz/forward-auth?ignored=1", method=method, **TRAEFIK, Cookie=session.cookie)
    assert response.status == HTTPStatus.OK


async def test_bypass_passes_strangers_with_empty_identity_headers(tmp_path: Path) -> None:
    """B1."""
    async with _with_rules(tmp_path) as gateway:
        response = await gateway.check("http://app.example.com/public/logo.svg")
        assert response.status == HTTPStatus.OK
        assert {name: response.headers[name] for name in IDENTITY_HEADERS} == {
            **dict.fromkeys(IDENTITY_HEADERS, ""),
            "Remote-Auth-Level": "0",
        }
        bad_token = await gateway.check(
            "http://app.example.com/public/logo.svg", Authorization=(await gateway.session()).bearer + "x"
        )
        assert bad_token.status == HTTPStatus.OK
        assert bad_token.headers["Remote-User"] == ""


async def test_rules_decide_for_whoever_is_logged_in(tmp_path: Path) -> None:
    async with _with_rules(tmp_path) as gateway:
        cookie = (await gateway.session()).cookie
        asked = {
            "http://app.example.com/admin/users": 403,
            "http://app.example.com/%61dmin": 403,
            "http://app.example.com/reports": 200,
            "http://other.example.com/": 200,
            "http://elsewhere.test/": 403,
        }
        answers = {url: (await gateway.check(url, Cookie=cookie)).status for url in asked}
        assert answers == asked
        refused = await gateway.check("http://app.example.com/admin", Cookie=cookie)
        assert refused.headers["X-Auth-Reason"] == "forbidden"


@pytest.mark.parametrize(
    "path",
    ["/public/%2e%2e/admin", "//admin", "/public/../admin", "/public\\..\\admin", "/admin;b", "/public/..%252fadmin"],
)
async def test_ambiguous_path_is_judged_by_its_strictest_reading(tmp_path: Path, path: str) -> None:
    """C1, C2."""
    async with _with_rules(tmp_path) as gateway:
        cookie = (await gateway.session()).cookie
        closed = await gateway.check(f"http://app.example.com{path}", Cookie=cookie)
        assert (closed.status, closed.headers["X-Auth-Reason"]) == (HTTPStatus.FORBIDDEN, "forbidden")
        opened = await gateway.check(f"http://app.example.com{path.replace('admin', 'reports')}", Cookie=cookie)
        assert opened.status == HTTPStatus.OK


@pytest.mark.parametrize(
    "url",
    [
        "http://app.example.com/%00",
        "http://app.example.com/%zz",
        "http://app.example.com/public/%2500",
        "http://app.example.com/public/..%20/admin",
        "http://app.example.com/%c0%ae%c0%ae/admin",
        "http://app.example.com@evil.example/",
        "http://app.example.com,evil.example/",
        "ftp://app.example.com/",
        "app.example.com/",
        "/admin",
        "http:///admin",
    ],
)
async def test_what_cannot_be_read_is_refused(gateway: Gateway, url: str) -> None:
    """A4, C2, C3."""
    response = await gateway.check(url, Cookie=(await gateway.session()).cookie)
    assert response.status == HTTPStatus.FORBIDDEN
    assert response.headers["X-Auth-Reason"] == "malformed_request"


@pytest.mark.parametrize("missing", list(TRAEFIK))
async def test_missing_forwarded_header_is_refused(gateway: Gateway, missing: str) -> None:
    """A4."""
    headers = {name: value for name, value in TRAEFIK.items() if name != missing}
    response = await gateway.ask("/api/authz/forward-auth", **headers, Cookie=(await gateway.session()).cookie)
    assert response.status == HTTPStatus.FORBIDDEN
    assert response.headers["X-Auth-Reason"] == "malformed_request"


async def test_headers_of_the_other_family_change_nothing(gateway: Gateway) -> None:
    """A3."""
    cookie = (await gateway.session()).cookie
    response = await gateway.check(Cookie=cookie, **{**TRAEFIK, "X-Forwarded-Uri": "/../.."})
    assert response.status == HTTPStatus.OK


async def test_twin_spelling_is_refused(gateway: Gateway) -> None:
    """A3."""
    cookie = (await gateway.session()).cookie
    asked = {"X-Original-URL": APP_URL, "X-Original-Method": "GET", "Cookie": cookie}
    for twin in ("X_Original_URL", "X-Original.Method", "x_forwarded_for"):
        response = await gateway.proxy.get(
            f"{gateway.url}/api/authz/auth-request", headers={**asked, twin: "http://app.example.com/public"}
        )
        assert response.status == HTTPStatus.FORBIDDEN, twin


async def test_untrusted_peer_is_refused_whatever_it_forwards(tmp_path: Path) -> None:
    """A2."""
    async with start_gateway(environment(tmp_path, GATEWAY_TRUSTED_PROXIES="192.0.2.1")) as gateway:
        cookie = (await gateway.session()).cookie
        # The second time it would be known.
        for _ in range(2):
            response = await gateway.check(Cookie=cookie)
            assert response.status == HTTPStatus.FORBIDDEN
            assert response.headers["X-Auth-Reason"] == "untrusted_peer"


async def test_doubled_session_cookie_counts_as_none(gateway: Gateway) -> None:
    """S7."""
    cookie = (await gateway.session()).cookie
    assert (await gateway.check(Cookie=f"{cookie}; {cookie}")).status == HTTPStatus.UNAUTHORIZED
    assert (await gateway.check(Cookie=f"a=b; {cookie}; c=d")).status == HTTPStatus.OK


async def test_bad_token_of_ours_never_falls_back_to_the_cookie(gateway: Gateway) -> None:
    session = await gateway.session()
    response = await gateway.check(Cookie=session.cookie, Authorization=session.bearer[:-4] + "AAAA")
    assert response.status == HTTPStatus.UNAUTHORIZED
    assert response.headers["X-Auth-Reason"] == "invalid_token"


async def test_applications_own_bearer_token_passes_beside_our_cookie(gateway: Gateway) -> None:
    session = await gateway.session()
    response = await gateway.check(Cookie=session.cookie, Authorization="Bearer of-the-application")
    assert response.status == HTTPStatus.OK
    assert response.headers["X-Auth-Strip"] == "cookie"


async def test_long_headers_are_taken(gateway: Gateway) -> None:
    session = await gateway.session()
    response = await gateway.check(Cookie=f"filler={'x' * 14_000}; {session.cookie}")
    assert response.status == HTTPStatus.OK


async def test_announced_body_never_becomes_the_next_request(gateway: Gateway) -> None:
    session = await gateway.session()
    for _ in range(3):
        response = await gateway.proxy.post(
            f"{gateway.url}/api/authz/forward-auth",
            headers={**TRAEFIK, "Cookie": session.cookie},
            data=b"GET /healthz HTTP/1.1\r\n\r\n" * 100,
        )
        assert response.status == HTTPStatus.OK
        assert await response.read() == b""


async def test_restart_keeps_everybody_logged_in(tmp_path: Path) -> None:
    async with start_gateway(environment(tmp_path)) as gateway:
        session = await gateway.session()
    async with start_gateway(environment(tmp_path)) as gateway:
        assert (await gateway.check(Cookie=session.cookie)).status == HTTPStatus.OK
        assert (await gateway.check(Authorization=session.bearer)).status == HTTPStatus.OK


async def test_changed_jwt_secret_logs_everybody_out_and_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with start_gateway(environment(tmp_path, BASIC_AUTH_JWT_SECRET="a" * 20 + "b-Q7" * 8)) as gateway:
        session = await gateway.session()
    async with start_gateway(environment(tmp_path, BASIC_AUTH_JWT_SECRET="c" * 20 + "d-Q7" * 8)) as gateway:
        assert (await gateway.check(Cookie=session.cookie)).status == HTTPStatus.UNAUTHORIZED
        assert (await gateway.check(Authorization=session.bearer)).status == HTTPStatus.UNAUTHORIZED
    printed = capsys.readouterr()
    assert "jwt_secret_changed" in printed.out + printed.err


async def test_refusals_are_logged_without_the_query(gateway: Gateway, capsys: pytest.CaptureFixture[str]) -> None:
    """W4, W5."""
    session = await gateway.session()
    response = await gateway.check(APP_URL + "&key=hush", Cookie=session.cookie + "x")
    printed = capsys.readouterr()
    logged = printed.out + printed.err
    assert response.headers["X-Decision-Id"] in logged
    assert "hush" not in logged
    assert session.cookie.partition("=")[2] not in logged
    assert session.token not in logged


def _return_url(location: str) -> str:
    parts = urlsplit(location)
    assert (parts.netloc, parts.path) == ("localhost:9091", "/login")
    return parse_qs(parts.query, strict_parsing=True)["rd"][0]


def _with_rules(folder: Path) -> AbstractAsyncContextManager[Gateway]:
    config = folder / "gateway.yaml"
    config.write_text(RULES)
    return start_gateway(environment(folder / "data"), config=config)


async def test_each_answer_has_an_id_of_its_own(gateway: Gateway) -> None:
    """Nobody finds the decision by an id that several have; what is known already is no exception."""
    session = await gateway.session()
    answers = [await gateway.check(Cookie=session.cookie) for _ in range(4)]
    assert {answer.status for answer in answers} == {HTTPStatus.OK}
    assert len({answer.headers["X-Decision-Id"] for answer in answers}) == len(answers)
    assert all(answer.headers["X-Request-Id"] == answer.headers["X-Decision-Id"] for answer in answers)
