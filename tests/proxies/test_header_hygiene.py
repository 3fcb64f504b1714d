"""A visitor's headers never pass for the gateway's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.protected_site import values_of

if TYPE_CHECKING:
    from tests.support.protected_site import ProtectedSite, Visitor

FORGED = "forged-by-the-visitor"

IDENTITY = [
    "Remote-User",
    "REMOTE-USER",
    "remote-user",
    "remote_user",
    "Remote_User",
    "REMOTE_USER",
    "Remote.User",
    "remote.user",
    "Remote-Groups",
    "Remote_Groups",
    "Remote.Groups",
    "Remote-Auth-Level",
    "Remote_Auth-Level",
    "Remote-Auth.Level",
    "X-Gateway-Assertion",
    "x_gateway_assertion",
    "X.Gateway.Assertion",
    "X-Remote-User",
    "X_Remote_User",
    "X-Forwarded-User",
    "X-Forwarded_User",
    "X-Auth-Request-Email",
    "X-Auth.Request.Email",
    "X-WebAuth-User",
    "X-User-Id",
    "X-Tenant-Id",
]
REQUEST = [
    "X-Original-URL",
    "X-Original-URI",
    "X-Original-Method",
    "X_Original_URL",
    "X.Original.URL",
    "X-Rewrite-URL",
    "X-HTTP-Method-Override",
    "X-Forwarded-Host",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Forwarded-Uri",
    "X-Forwarded-Method",
    "X-Forwarded-Prefix",
    "X-Forwarded-Port",
    "X-Forwarded-Scheme",
    "X-Forwarded-Server",
    "X-Real-IP",
    "Forwarded",
]


@pytest.mark.parametrize("name", [*IDENTITY, *REQUEST])
def test_forged_header_never_reaches_the_application(site: ProtectedSite, visitor: Visitor, name: str) -> None:
    """B2, A3."""
    for credentials in ([], [f"Cookie: {visitor.cookie}"]):
        headers = site.application_headers(f"{name}: {FORGED}", *credentials)
        assert FORGED not in str(headers)
        assert all("_" not in header and "." not in header for header, _ in headers)


@pytest.mark.parametrize("name", [*IDENTITY, *REQUEST])
def test_forged_header_opens_nothing(site: ProtectedSite, name: str) -> None:
    """A3."""
    for value in (FORGED, "admin@example.com", "/public/page", "OPTIONS", "http://app.example.com/public/page"):
        answer = site.ask("GET /members", f"{name}: {value}", "Accept: application/json")
        assert answer.status == 401


@pytest.mark.parametrize(
    "connection",
    [
        "close, Remote-User",
        "Remote-User, Remote-Groups",
        "keep-alive, X-Forwarded-Host, X-Forwarded-Proto, X-Forwarded-For, X-Original-URL",
        "close, Cookie",
    ],
)
def test_connection_line_removes_nothing_that_the_gateway_says(
    site: ProtectedSite, visitor: Visitor, connection: str
) -> None:
    """B2: `Connection: Remote-User` makes a hop drop that header."""
    lines = [f"Connection: {connection}", f"Remote-User: {FORGED}", f"Cookie: {visitor.cookie}"]
    headers = site.application_headers(*lines)
    assert FORGED not in str(headers)
    if "Cookie" not in connection:  # a visitor who takes back the own cookie is nobody
        assert values_of(headers, "Remote-User") == ["admin@example.com"]
    assert "Remote-User" not in str(values_of(headers, "Connection"))
    assert values_of(headers, "X-Forwarded-For") == ["127.0.0.1"]


def test_application_is_told_who_is_there(site: ProtectedSite, visitor: Visitor) -> None:
    """B1."""
    headers = site.application_headers(f"Cookie: {visitor.cookie}")
    assert values_of(headers, "Remote-User") == ["admin@example.com"]
    assert values_of(headers, "Remote-Email") == ["admin@example.com"]
    assert values_of(headers, "Remote-Organization") == ["Default"]
    assert values_of(headers, "Remote-Auth-Method") == ["session"]
    assert values_of(headers, "Remote-Auth-Level") == ["1"]


def test_stranger_is_nobody_to_the_application(site: ProtectedSite) -> None:
    """B1."""
    headers = site.application_headers(f"Remote-User: {FORGED}")
    assert values_of(headers, "Remote-User") in ([], [""])
    assert values_of(headers, "Remote-Auth-Level") == ["0"]


@pytest.mark.parametrize("lines", [["a=1", "{ours}"], ["{ours}", "a=1"], ["a=1; {ours}", "b=2"]])
def test_session_is_found_on_either_of_two_cookie_lines(
    site: ProtectedSite, visitor: Visitor, lines: list[str]
) -> None:
    headers = site.application_headers(*[f"Cookie: {line.format(ours=visitor.cookie)}" for line in lines])
    assert values_of(headers, "Remote-User") == ["admin@example.com"]
    assert "a=1" in str(values_of(headers, "Cookie"))


def test_session_cookie_on_both_lines_counts_as_none(site: ProtectedSite, visitor: Visitor) -> None:
    """S7: a sibling host can plant a second one."""
    headers = site.application_headers(f"Cookie: {visitor.cookie}", f"Cookie: {visitor.cookie}")
    assert values_of(headers, "Remote-Auth-Level") == ["0"]


@pytest.mark.parametrize("value", ["Bearer an-applications-own-token", "Basic dXNlcjpwYXNz"])
def test_credential_that_is_not_ours_passes(site: ProtectedSite, visitor: Visitor, value: str) -> None:
    headers = site.application_headers(f"Authorization: {value}", f"Cookie: {visitor.cookie}")
    assert values_of(headers, "Authorization") == [value]
    assert values_of(headers, "Remote-Auth-Method") == ["session"]
