"""A visitor's headers never pass for the gateway's, and the gateway's credentials never reach the application."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.nginx.conftest import Visitor
    from tests.support.nginx import ProtectedSite

FORGED = "forged-by-the-visitor"


def values_of(headers: list[tuple[str, str]], name: str) -> list[str]:
    return [value for key, value in headers if key.lower() == name.lower()]


@pytest.mark.parametrize(
    "name",
    [
        "Remote-User",
        "REMOTE-USER",
        "remote-user",
        "remote_user",
        "Remote_User",
        "Remote.User",
        "Remote-Groups",
        "Remote-Auth-Level",
        "X-Gateway-Assertion",
        "x_gateway_assertion",
        "X-Remote-User",
        "X-Forwarded-User",
        "X-Auth-Request-Email",
        "X-WebAuth-User",
        "X-User-Id",
        "X-Tenant-Id",
        "X-Original-URL",
        "X-Rewrite-URL",
        "X-HTTP-Method-Override",
        "X-Forwarded-Host",
        "X-Forwarded-For",
        "X-Forwarded-Prefix",
        "X-Real-IP",
        "Forwarded",
    ],
)
def test_forged_header_never_reaches_the_application(site: ProtectedSite, visitor: Visitor, name: str) -> None:
    """B2, A3."""
    for credentials in ([], [f"Cookie: {visitor.cookie}"]):
        headers = site.application_headers(f"{name}: {FORGED}", *credentials)
        assert FORGED not in str(headers)
        assert all("_" not in header and "." not in header for header, _ in headers)


def test_connection_line_removes_nothing_that_the_gateway_says(site: ProtectedSite, visitor: Visitor) -> None:
    """B2: `Connection: Remote-User` makes a hop drop that header."""
    headers = site.application_headers(
        "Connection: close, Remote-User", f"Remote-User: {FORGED}", f"Cookie: {visitor.cookie}"
    )
    assert values_of(headers, "Remote-User") == ["admin@example.com"]
    assert "Remote-User" not in str(values_of(headers, "Connection"))


def test_application_is_told_who_is_there(site: ProtectedSite, visitor: Visitor) -> None:
    """B1."""
    headers = site.application_headers(f"Cookie: {visitor.cookie}")
    assert values_of(headers, "Remote-User") == ["admin@example.com"]
    assert values_of(headers, "Remote-Email") == ["admin@example.com"]
    assert values_of(headers, "Remote-Organization") == ["Default"]
    assert values_of(headers, "Remote-Auth-Method") == ["session"]
    assert values_of(headers, "Remote-Auth-Level") == ["1"]


def test_stranger_is_nobody_to_the_application(site: ProtectedSite) -> None:
    headers = site.application_headers()
    assert values_of(headers, "Remote-User") == []
    assert values_of(headers, "Remote-Auth-Level") == ["0"]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (["{ours}"], []),
        (["{ours}; a=1; b=2"], ["a=1; b=2"]),
        (["a=1; {ours}; b=2"], ["a=1; b=2"]),
        (["a=1; b=2; {ours}"], ["a=1; b=2"]),
        (["{ours}; a=1; {ours}; b=2"], ["a=1; b=2"]),
        (["a=1; {ours}; {ours}; {ours}"], ["a=1"]),
        (["a=1;{ours};b=2"], ["a=1;b=2"]),
        (["a=1;\t {ours}"], ["a=1"]),
        (["a=1", "{ours}", "b=2"], ["a=1; b=2"]),
        (["{ours}", "{ours}", "b=2"], ["b=2"]),
        (["__Host-{ours}; __Secure-{ours}; a=1"], ["a=1"]),
        (["gateway_page=state; {ours}; a=1"], ["a=1"]),
        (["my_{ours}; a=1"], ["my_{ours}; a=1"]),
        (["a=1; b=2"], ["a=1; b=2"]),
    ],
)
def test_other_cookies_arrive_and_ours_does_not(
    site: ProtectedSite, visitor: Visitor, sent: list[str], expected: list[str]
) -> None:
    lines = [f"Cookie: {line.format(ours=visitor.cookie)}" for line in sent]
    headers = site.application_headers(*lines)
    assert values_of(headers, "Cookie") == [line.format(ours=visitor.cookie) for line in expected]


@pytest.mark.parametrize(
    "line",
    [
        "a=1; {ours}; {ours}; {ours}; {ours}",
        "a=1 {ours}",
        "a=1,{ours}",
        "a=1;\u00a0{ours}",
        'a="1; {ours}"; {ours}; {ours}; {ours}; b=2',
        "{ours} ; gateway_session =1; gateway_session\t=2; gateway_session=3",
    ],
)
def test_no_cookie_passes_where_ours_hides_among_them(site: ProtectedSite, visitor: Visitor, line: str) -> None:
    headers = site.application_headers(f"Cookie: {line.format(ours=visitor.cookie)}")
    assert visitor.session_token not in str(headers)


def test_cookies_above_the_usual_limits_pass_and_lose_ours(site: ProtectedSite, visitor: Visitor) -> None:
    long = "; ".join(f"c{number}={'x' * 500}" for number in range(64))
    headers = site.application_headers(f"Cookie: {long}; {visitor.cookie}; last=1")
    assert values_of(headers, "Cookie") == [f"{long}; last=1"]
    assert values_of(headers, "Remote-User") == ["admin@example.com"]


def test_access_token_of_ours_ends_at_the_gateway(site: ProtectedSite, visitor: Visitor) -> None:
    headers = site.application_headers(visitor.bearer)
    assert values_of(headers, "Authorization") == []
    assert values_of(headers, "Remote-Auth-Method") == ["jwt"]


@pytest.mark.parametrize("value", ["Bearer an-applications-own-token", "Basic dXNlcjpwYXNz"])
def test_credential_that_is_not_ours_passes(site: ProtectedSite, visitor: Visitor, value: str) -> None:
    headers = site.application_headers(f"Authorization: {value}", f"Cookie: {visitor.cookie}")
    assert values_of(headers, "Authorization") == [value]
    assert values_of(headers, "Remote-Auth-Method") == ["session"]
