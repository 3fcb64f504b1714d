"""What a visitor gets who may not pass."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.demo.nginx import listen_on_loopback
from tests.support.background import in_background
from tests.support.gateway import start_gateway
from tests.support.nginx import HOST, PORTAL, portal_environment, settings_asking, site_behind_nginx

if TYPE_CHECKING:
    from pathlib import Path

    from tests.nginx.conftest import Visitor
    from tests.support.nginx import ProtectedSite

BROWSER = "Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"
PROGRAM = "Accept: application/json"


def return_url(login_url: str) -> str:
    return parse_qs(urlsplit(login_url).query)["rd"][0]


@pytest.mark.parametrize(
    "target",
    ["/reports?page=2&sort=name%26co", "/", "/a%20b/caf%C3%A9?q=%23&r=a+b", "/x?rd=http://evil.example/&y=;"],
)
def test_stranger_is_asked_to_log_in_and_comes_back_to_the_whole_address(site: ProtectedSite, target: str) -> None:
    answer = site.ask(f"GET {target}", BROWSER)
    assert answer.status == 302
    login_url = answer.header("Location") or ""
    assert login_url.startswith(f"http://{PORTAL}:{site.port}/login?rd=")
    assert return_url(login_url) == f"http://{HOST}:{site.port}{target}"
    assert answer.header("Cache-Control") == "no-store"


def test_refused_post_of_a_browser_is_asked_to_log_in(site: ProtectedSite) -> None:
    answer = site.ask("POST /form", BROWSER, body=b"a=1")
    assert answer.status == 302


def test_program_is_told_where_to_log_in(site: ProtectedSite) -> None:
    answer = site.ask("GET /api/convos?limit=5", PROGRAM)
    assert answer.status == 401
    assert answer.header("Content-Type") == "application/json"
    assert (answer.header("WWW-Authenticate") or "").startswith("Bearer")
    assert answer.header("Location") is None
    assert answer.json["error"] == "Unauthorized"
    assert answer.json["message"]
    assert answer.json["code"] == answer.header("X-Auth-Reason") == "unauthorized"
    assert answer.json["decision_id"] == answer.header("X-Decision-Id")
    assert return_url(answer.json["login_url"]) == f"http://{HOST}:{site.port}/api/convos?limit=5"


def test_program_with_a_bad_token_of_ours_is_told_so(site: ProtectedSite, visitor: Visitor) -> None:
    head, payload, signature = visitor.bearer.split(".")
    answer = site.ask("GET /", f"{head}.{payload}.{signature[::-1]}", PROGRAM)
    assert answer.status == 401
    assert answer.json["code"] == "invalid_token"
    assert answer.json["message"] == "This token is not valid."


@pytest.mark.parametrize(
    "target", ["/public/..%2fmembers", "/public/../members", "//members", "/public/%2e%2e/members"]
)
def test_path_with_two_readings_does_not_open_the_stricter_one(site: ProtectedSite, target: str) -> None:
    answer = site.ask(f"GET {target}", PROGRAM)
    assert answer.status in {401, 403}
    assert b"application was here" not in answer.body


def test_known_visitor_without_permission_gets_the_gateways_page(site: ProtectedSite, visitor: Visitor) -> None:
    answer = site.ask("GET /closed", BROWSER, f"Cookie: {visitor.cookie}")
    assert answer.status == 403
    assert b"<!doctype html>" in answer.body
    assert (answer.header("X-Decision-Id") or "-").encode() in answer.body
    assert answer.header("Set-Cookie") is None, "the page is shown on the application's host"


def test_program_without_permission_gets_json(site: ProtectedSite, visitor: Visitor) -> None:
    answer = site.ask("POST /closed", visitor.bearer, PROGRAM, body=b"{}")
    assert answer.status == 403
    assert answer.json["code"] == answer.header("X-Auth-Reason")
    assert answer.json["decision_id"] == answer.header("X-Decision-Id")


@pytest.mark.parametrize("host", ["other.example.com", "127.0.0.1", "localhost", f"{HOST}.evil.example"])
def test_unknown_host_is_misdirected(site: ProtectedSite, visitor: Visitor, host: str) -> None:
    answer = site.ask("GET /public/page", f"Cookie: {visitor.cookie}", host=host)
    assert answer.status == 421


def test_host_with_a_second_address_in_it_is_judged_as_what_is_served(site: ProtectedSite) -> None:
    answer = site.ask("GET /", BROWSER, host=f"{HOST}:80@evil.example")
    assert "evil" not in str(answer.headers)


def test_request_line_with_another_host_is_judged_as_what_is_served(site: ProtectedSite) -> None:
    answer = site.ask(f"GET http://{HOST}/members", BROWSER, host="other.example.com")
    assert answer.status == 302
    assert return_url(answer.header("Location") or "") == f"http://{HOST}/members"


@pytest.mark.parametrize(
    "target", ["/api/authz/auth-request", "/api//authz/auth-request", "/api/%61uthz/forward-auth", "/x/../api/authz/y"]
)
def test_checks_cannot_be_asked_from_outside(site: ProtectedSite, visitor: Visitor, target: str) -> None:
    lines = [f"Cookie: {visitor.cookie}", f"X-Original-URL: http://{HOST}/", "X-Original-Method: GET"]
    answer = site.ask(f"GET {target}", *lines, host=PORTAL)
    assert answer.status == 404
    assert site.ask("GET /_gateway_check", *lines).status == 404


def test_stopped_gateway_is_unavailable_and_never_the_application(tmp_path: Path) -> None:
    """N2, A1."""
    listener = listen_on_loopback(0)
    environ = portal_environment(tmp_path, listener)
    with in_background(start_gateway(environ)) as gateway:
        settings = settings_asking(urlsplit(gateway.url).port or 0, environ)
    with site_behind_nginx(settings, listener) as site:
        for host in (HOST, PORTAL):
            for accept, kind in ((BROWSER, "text/html; charset=utf-8"), (PROGRAM, "application/json")):
                answer = site.ask("GET /", accept, host=host)
                assert answer.status == 503
                assert answer.header("Retry-After") == "5"
                assert answer.header("Content-Type") == kind
        assert site.application.received == []
