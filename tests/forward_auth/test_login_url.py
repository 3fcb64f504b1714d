"""The login page's address."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.forward_auth.login_url import login_url
from gateway.forward_auth.original_request import Endpoint, OriginalRequest, parse_original_request
from gateway.forward_auth.request_headers import collect_headers

PORTAL = "https://auth.example.com"
ORIGIN = "https://app.example.com:8443"
LONGEST = 2000


def original(url: str) -> OriginalRequest:
    lines = [(b"X-Original-URL", url.encode("utf-8", "surrogateescape")), (b"X-Original-Method", b"GET")]
    return parse_original_request(Endpoint.AUTH_REQUEST, collect_headers(lines))


def return_url(url: str) -> str:
    given = login_url(PORTAL, original(url))
    assert len(given) <= LONGEST
    parts = urlsplit(given)
    assert (f"{parts.scheme}://{parts.netloc}", parts.path) == (PORTAL, "/login")
    query = parse_qs(parts.query, strict_parsing=True)
    assert list(query) == ["rd"]
    return query["rd"][0]


@pytest.mark.parametrize(
    "url",
    [
        f"{ORIGIN}/",
        f"{ORIGIN}/reports?page=2&sort=name",
        f"{ORIGIN}/a?rd=https://evil.example/&x=%26%3D%25#no-fragment",
        f"{ORIGIN}/caf%C3%A9?q=%2561",
        f"{ORIGIN}/a?plus=a+b",
        f"{ORIGIN}/a?",
        "http://[2001:db8::1]:8080/x?y",
    ],
)
def test_whole_original_url_comes_back(url: str) -> None:
    assert return_url(url) == url


def test_it_is_encoded_once_and_wholly() -> None:
    expected = f"{PORTAL}/login?rd=https%3A%2F%2Fapp.example.com%3A8443%2Fa%2520b%3Fc%3Dd%26e"
    assert login_url(PORTAL, original(f"{ORIGIN}/a%20b?c=d&e")) == expected


def test_eight_bit_query_keeps_its_bytes() -> None:
    given = login_url(PORTAL, original(f"{ORIGIN}/a?caf\udcc3\udca9&\udcff"))
    assert given.endswith("%3Fcaf%C3%A9%26%FF")
    assert given.isascii()


def test_websocket_comes_back_to_the_page() -> None:
    assert return_url("wss://app.example.com/live") == "https://app.example.com/live"


def test_up_to_two_thousand_characters_it_is_whole() -> None:
    shortest = len(login_url(PORTAL, original(f"{ORIGIN}/a?")))
    fitting = f"{ORIGIN}/a?" + "q" * (LONGEST - shortest)
    assert len(login_url(PORTAL, original(fitting))) == LONGEST
    assert return_url(fitting) == fitting
    assert return_url(fitting + "q") == f"{ORIGIN}/a"


def test_length_counts_as_encoded() -> None:
    assert return_url(f"{ORIGIN}/a?" + "&" * 700) == f"{ORIGIN}/a"


def test_path_that_is_too_long_falls_back_to_the_origin() -> None:
    assert return_url(f"{ORIGIN}/{'a' * 3000}?q") in (ORIGIN, f"{ORIGIN}/")
