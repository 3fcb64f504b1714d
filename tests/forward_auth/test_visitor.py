"""Browser or program?"""

from __future__ import annotations

import pytest

from gateway.forward_auth.request_headers import collect_headers
from gateway.forward_auth.visitor import is_navigation

CHROME = {
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Site": "none",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Upgrade-Insecure-Requests": "1",
}
HTML = {"Accept": "text/html"}


def navigates(headers: dict[str, str]) -> bool:
    return is_navigation(collect_headers([(name.encode(), value.encode()) for name, value in headers.items()]))


@pytest.mark.parametrize("destination", ["document", "iframe", "frame"])
def test_browser_that_opens_a_page_navigates(destination: str) -> None:
    """A9."""
    assert navigates(CHROME | {"Sec-Fetch-Dest": destination})


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
        {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
        {"Sec-Fetch-Mode": "same-origin", "Sec-Fetch-Dest": "worker"},
        {"Sec-Fetch-Mode": "websocket", "Sec-Fetch-Dest": "websocket"},
        {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "object"},
        {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "embed"},
        {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "empty"},
        {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "document"},
        {"Sec-Purpose": "prefetch"},
        {"Sec-Purpose": "prefetch;prerender"},
        {"Sec-Purpose": "Prefetch"},
    ],
)
def test_what_a_page_fetches_by_itself_is_no_navigation_whatever_it_accepts(headers: dict[str, str]) -> None:
    """A9: Sec-Fetch-* comes before Accept."""
    assert not navigates(CHROME | headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Mode": "navigate"},
        {"Sec-Fetch-Dest": "document"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-User": "?1"},
    ],
)
def test_half_of_the_sec_fetch_headers_does_not_fall_back_to_accept(headers: dict[str, str]) -> None:
    """A9: `Accept` is asked only without any of them."""
    assert not navigates(HTML | headers)


def test_sec_fetch_headers_decide_over_the_marks_of_programs() -> None:
    assert navigates(CHROME | {"Upgrade": "h2c"})


@pytest.mark.parametrize(
    ("accept", "browser"),
    [
        ("text/html", True),
        ("TEXT/HTML", True),
        ("text/html;q=0.1", True),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", True),
        ("application/json;q=0.9, text/html", True),
        ("application/json;q=0.4,text/html;q=0.5", True),
        ("application/ld+json;q=0.5, text/html;q=0.6", True),
        ("text/html;level=1;q=0.7, application/json;q=0.6", True),
        ("text/html ; q=0.7 , application/json ; q=0.6", True),
        ("application/json;q=0, text/html;q=0.001", True),
        ("text/html;q=0.2, text/html;level=1, application/json;q=0.5", True),
        ("", False),
        ("*/*", False),
        ("text/*", False),
        ("application/xhtml+xml", False),
        ("application/json", False),
        ("text/html;q=0", False),
        ("text/html;q=0.0, */*", False),
        ("text/html, application/json", False),
        ("application/json, text/html", False),
        ("text/html;q=0.5, application/json;q=0.5", False),
        ("text/html;q=0.5, application/json;q=0.6", False),
        ("text/html;Q=0.5, application/problem+json", False),
        ("text/html;q=nonsense, application/json;q=0.1", False),
        ("text/html;q=, application/json;q=0.1", False),
        ("text/htmlx", False),
        ("xtext/html", False),
        (";q=1, text/html;q=0", False),
    ],
)
def test_without_sec_fetch_html_has_to_be_wanted_more_than_any_json(accept: str, browser: bool) -> None:  # noqa: FBT001
    """A9."""
    assert navigates({"Accept": accept}) is browser


def test_several_accept_lines_are_one_list() -> None:
    lines = [(b"Accept", b"text/html;q=0.5"), (b"Accept", b"application/json")]
    assert not is_navigation(collect_headers(lines))
    assert is_navigation(collect_headers([(b"Accept", b"*/*;q=0.1"), (b"Accept", b"text/html")]))


def test_what_accepts_more_than_any_browser_is_a_program() -> None:
    """N3: to look through it would keep everybody else waiting."""
    assert navigates({"Accept": "text/html," + "a/b," * 400})
    assert not navigates({"Accept": "text/html," + "a/b," * 600})
    assert not is_navigation(collect_headers([(b"Accept", b"text/html")] * 300))
    assert navigates(CHROME | {"Accept": "text/html," + "a/b," * 600})


@pytest.mark.parametrize(
    "mark",
    [
        {"X-Requested-With": "XMLHttpRequest"},
        {"X-Requested-With": "xmlhttprequest"},
        {"Upgrade": "websocket"},
        {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="},
        {"Authorization": "Bearer x"},
        {"Authorization": "Basic x"},
        {"Sec-Purpose": "prefetch"},
    ],
)
def test_marks_of_a_program_outweigh_accept(mark: dict[str, str]) -> None:
    """A9."""
    assert not navigates(HTML | mark)


def test_other_requested_with_is_no_mark() -> None:
    assert navigates(HTML | {"X-Requested-With": "com.example.webview"})


def test_nobody_without_headers_is_a_browser() -> None:
    assert not navigates({})


@pytest.mark.parametrize("agent", ["curl/8", "Mozilla/5.0 (X11; Linux) Chrome/140", "ELB-HealthChecker/2.0", ""])
@pytest.mark.parametrize("headers", [CHROME, HTML, {"Accept": "*/*"}, {}])
def test_user_agent_never_decides(agent: str, headers: dict[str, str]) -> None:
    """A6."""
    assert navigates(headers | {"User-Agent": agent}) is navigates(headers)
