"""What a visitor gets who may not pass."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.protected_site import APPLICATION_SAYS, BROWSER, HOST, PORTAL, PROGRAM

if TYPE_CHECKING:
    from tests.support.protected_site import ProtectedSite, Visitor
    from tests.support.raw_http import RawAnswer


def return_url(login_url: str) -> str:
    return parse_qs(urlsplit(login_url).query)["rd"][0]


def is_refused(answer: RawAnswer) -> bool:
    return answer.status in {400, 401, 403} and APPLICATION_SAYS.encode() not in answer.body


@pytest.mark.parametrize(
    "target",
    ["/reports?page=2&sort=name%26co", "/", "/a%20b/caf%C3%A9?q=%23&r=a+b", "/x?rd=http://evil.example/&y="],
)
def test_stranger_is_asked_to_log_in_and_comes_back_to_the_whole_address(site: ProtectedSite, target: str) -> None:
    """A9."""
    answer = site.ask(f"GET {target}", BROWSER)
    assert answer.status == 302
    login_url = answer.header("Location") or ""
    assert login_url.startswith(f"http://{PORTAL}:{site.port}/login?rd=")
    assert return_url(login_url) == f"http://{HOST}:{site.port}{target}"
    assert answer.header("Cache-Control") == "no-store"


def test_visitor_who_logged_in_is_sent_back_and_let_in(site: ProtectedSite, visitor: Visitor) -> None:
    """D1: the login page, opened by somebody who has logged in, leads straight back."""
    asked = site.ask("GET /reports?page=2&sort=name", BROWSER)
    login_url = urlsplit(asked.header("Location") or "")
    back = site.ask(f"GET {login_url.path}?{login_url.query}", BROWSER, f"Cookie: {visitor.cookie}", host=PORTAL)
    assert back.status in {302, 303}
    assert back.header("Location") == f"http://{HOST}:{site.port}/reports?page=2&sort=name"
    assert site.ask("GET /reports?page=2&sort=name", BROWSER, f"Cookie: {visitor.cookie}").status == 200


def test_refused_post_of_a_browser_comes_back_as_a_get(site: ProtectedSite) -> None:
    """D3: never 307 or 308."""
    answer = site.ask("POST /form", BROWSER, body=b"a=1")
    assert answer.status in {302, 303}


def test_program_is_told_where_to_log_in(site: ProtectedSite) -> None:
    """A9."""
    answer = site.ask("GET /api/convos?limit=5", PROGRAM)
    assert answer.status == 401
    assert (answer.header("Content-Type") or "").startswith("application/json")
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


def test_known_visitor_without_permission_gets_a_page(site: ProtectedSite, visitor: Visitor) -> None:
    answer = site.ask("GET /closed", BROWSER, f"Cookie: {visitor.cookie}")
    assert answer.status == 403
    assert b"<!doctype html>" in answer.body
    assert (answer.header("X-Decision-Id") or "-").encode() in answer.body
    assert f'href="http://{PORTAL}:{site.port}/logout"'.encode() in answer.body
    assert answer.header("Set-Cookie") is None, "the page is shown on the application's host"


def test_program_without_permission_gets_json(site: ProtectedSite, visitor: Visitor) -> None:
    answer = site.ask("POST /closed", visitor.bearer, PROGRAM, body=b"{}")
    assert answer.status == 403
    assert answer.json["code"] == answer.header("X-Auth-Reason") == "forbidden"
    assert answer.json["decision_id"] == answer.header("X-Decision-Id")


@pytest.mark.parametrize(
    "target",
    [
        "/public/../members",
        "/public/%2e%2e/members",
        "/public/%2E%2E/members",
        "/public/.%2e/members",
        "/public/..%2fmembers",
        "/public/..%2Fmembers",
        "/public/..%5cmembers",
        "/public/..;/members",
        "/public/%252e%252e/members",
        "/public/..%252fmembers",
        "//members",
        "/public//../members",
        "/public%2f..%2fmembers",
        "/x/../public/../members",
    ],
)
def test_path_that_can_be_read_as_a_closed_one_is_not_open(site: ProtectedSite, target: str) -> None:
    """C1, C2: the strictest reading of the path decides."""
    assert is_refused(site.ask(f"GET {target}", PROGRAM))


@pytest.mark.parametrize("target", ["/projects/group%2Fname", "/wiki/C%2B%2B", "/caf%C3%A9", "/a%20b"])
def test_path_all_of_whose_readings_are_open_passes_as_it_was_sent(
    site: ProtectedSite, visitor: Visitor, target: str
) -> None:
    answer = site.ask(f"GET {target}", f"Cookie: {visitor.cookie}")
    assert answer.status == 200
    assert answer.json["target"] == target


@pytest.mark.parametrize("host", ["other.example.com", "127.0.0.1", "localhost", f"{HOST}.evil.example"])
def test_unknown_host_reaches_nothing(site: ProtectedSite, visitor: Visitor, host: str) -> None:
    answer = site.ask("GET /public/page", f"Cookie: {visitor.cookie}", host=host)
    assert answer.status in {404, 421}


@pytest.mark.parametrize("second", [f"Host: {HOST}", "Host: evil.example", "host: evil.example"])
def test_two_host_lines_are_refused(site: ProtectedSite, visitor: Visitor, second: str) -> None:
    """C3."""
    answer = site.ask("GET /public/page", second, f"Cookie: {visitor.cookie}")
    assert answer.status == 400


def test_host_with_a_second_address_in_it_is_judged_as_what_is_served(site: ProtectedSite) -> None:
    answer = site.ask("GET /", BROWSER, host=f"{HOST}:80@evil.example")
    assert "evil" not in str(answer.headers)
    assert answer.status in {302, 400}


def test_request_line_with_another_host_is_judged_as_what_is_served(site: ProtectedSite) -> None:
    """C3."""
    answer = site.ask(f"GET http://{HOST}/members", BROWSER, host="other.example.com")
    assert answer.status == 302
    assert return_url(answer.header("Location") or "") == f"http://{HOST}/members"


@pytest.mark.parametrize("endpoint", ["auth-request", "forward-auth"])
@pytest.mark.parametrize(
    "prefix", ["/api/authz/", "/api//authz/", "/api/%61uthz/", "/x/../api/authz/", "/api%2Fauthz/"]
)
def test_checks_cannot_be_asked_from_outside(site: ProtectedSite, visitor: Visitor, prefix: str, endpoint: str) -> None:
    lines = [
        f"Cookie: {visitor.cookie}",
        f"X-Original-URL: http://{HOST}/",
        "X-Original-Method: GET",
        f"X-Forwarded-Host: {HOST}",
        "X-Forwarded-Method: GET",
        "X-Forwarded-Uri: /",
    ]
    answer = site.ask(f"GET {prefix}{endpoint}", *lines, host=PORTAL)
    assert answer.status == 404


@pytest.mark.parametrize("credential", ["", "cookie"])
@pytest.mark.parametrize("line", [BROWSER, PROGRAM])
@pytest.mark.parametrize("target", ["/members", "/closed", "/public/page"])
def test_no_cookie_comes_from_a_check(
    site: ProtectedSite, visitor: Visitor, *, target: str, line: str, credential: str
) -> None:
    """A8."""
    answer = site.ask(f"GET {target}", line, *([f"Cookie: {visitor.cookie}"] if credential else []))
    assert answer.header("Set-Cookie") is None


def test_application_in_a_page_of_another_site_is_not_opened_by_options(site: ProtectedSite) -> None:
    """C6: a preflight passes only where a rule says so."""
    lines = ["Origin: http://elsewhere.example", "Access-Control-Request-Method: GET"]
    assert is_refused(site.ask("OPTIONS /members", *lines))
