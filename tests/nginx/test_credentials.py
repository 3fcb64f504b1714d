"""The gateway's credentials never reach the application, which could use them elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.protected_site import values_of

if TYPE_CHECKING:
    from tests.support.protected_site import ProtectedSite, Visitor


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
        (["gateway_device=d; a=1; gateway_challenge=c; gateway_page=state; {ours}; {ours}"], ["a=1"]),
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
        "a=1; {ours}; {ours}; {ours}; {ours}; {ours}; {ours}",
        "a=1 {ours}",
        "a=1,{ours}",
        "a=1;\u00a0{ours}",
        'a="1; {ours}"; {ours}; {ours}; {ours}; {ours}; {ours}; b=2',
        "{ours} ; gateway_session =1; gateway_session\t=2; gateway_session=3; gateway_session=4; gateway_session=5",
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
