"""Where a browser may be sent: a table of what may and what may not."""

from __future__ import annotations

import pytest

from gateway.grammar.redirect_targets import parse_redirect_target
from gateway.web.return_urls import ReturnUrls, origin_of

PORTAL = "https://auth.example.com"


def urls(*allowed: str, portal: str = PORTAL, cookie_domain: str | None = "example.com") -> ReturnUrls:
    targets = [parse_redirect_target(text) for text in allowed]
    return ReturnUrls.of(public_url=portal, cookie_domain=cookie_domain, allowed_redirects=targets)


@pytest.mark.parametrize(
    "url",
    [
        "https://auth.example.com/",
        "https://auth.example.com",
        "https://auth.example.com:8443/x",
        "https://example.com/",
        "https://app.example.com/reports?page=2&sort=name#top",
        "https://app.example.com?x",
        "https://app.example.com#x",
        "https://a.b.c.example.com/",
        "https://app.example.com:8443/",
        "https://my_app.example.com/",
        "HTTPS://APP.Example.COM/A",
        "https://app.example.com/?next=https://evil.example/",
        "https://app.example.com/?a@evil.example",
        "https://app.example.com/@evil.example",
        "https://app.example.com/#@evil.example",
        "https://app.example.com//evil.example",
        "https://app.example.com/[1]?a[]=2",
        "https://app.example.com/caf%C3%A9%5C",
        "/",
        "/account",
        "/account?tab=sessions#top",
        "/a//b",
        "/%2Fevil.example",
        "/%5Cevil.example",
        "/@evil.example",
        "/:80",
    ],
)
def test_own_hosts_and_paths_of_the_portal_are_accepted_unchanged(url: str) -> None:
    """D1."""
    assert urls().accept(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        " ",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "javascript://app.example.com/%0aalert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "ftp://app.example.com/",
        "ws://app.example.com/",
        "blob:https://app.example.com/x",
        "view-source:https://app.example.com/",
        "about:blank",
        "mailto:ada@example.com",
    ],
)
def test_other_schemes_are_refused(url: str) -> None:
    """D1."""
    assert urls().accept(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "//evil.example",
        "//evil.example/app.example.com",
        "///evil.example",
        "////evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "\\\\evil.example",
        "/\\/evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "\t//evil.example",
        " //evil.example",
        "\x00//evil.example",
        "/account\\x",
        "/account\n",
        "/acc ount",
        "/caf\u00e9",
        "//app.example.com/",
        "account",
        "./account",
        "?x",
        "#x",
        "app.example.com",
        "app.example.com/x",
        "https:",
        "https:/",
        "https://",
        "https:///",
        "https:app.example.com",
        "https:/app.example.com",
        "https:///app.example.com",
        "https:////app.example.com",
        "https:\\\\app.example.com",
        "https:/\\app.example.com",
        "https://app.example.com\\@evil.example",
        "https://evil.example\\@app.example.com",
        "https://evil.example\\.example.com",
        "https://app.example.com/\\x",
        "https://app.example.com/?\\",
        "ht\ntps://app.example.com",
        "https://app.exam\tple.com",
        "https://app.example.com/\r\nSet-Cookie: x=1",
        "https://app.example.com/a b",
        "https://app.example.com/\x7f",
        "https://app.example.com/\u2028",
        "https://app.example.com/caf\u00e9",
        " https://app.example.com/",
        "https://app.example.com/ ",
        "https://app.example.com/\n",
        "https://ada@app.example.com/",
        "https://ada:pw@app.example.com/",
        "https://@app.example.com/",
        "https://app.example.com@evil.example/",
        "https://app.example.com:443@evil.example/",
        "https://app.example.com%40evil.example/",
        "https://app.example.com%2fevil.example/",
        "https://app%2eexample.com/",
        "https://app\u3002example.com/",
        "https://\u0430pp.example.com/",
        "https://app.example.com\uff0fevil.example/",
        "https://app.example\u00ad.com/",
        "https://app.example.com:/",
        "https://app.example.com:0/",
        "https://app.example.com:65536/",
        "https://app.example.com:4e3/",
        "https://app.example.com:443:443/",
        "https://app..example.com/",
        "https://.example.com/",
        "https://-app.example.com/",
        "https://*.example.com/",
        "https://app.example.com,evil.example/",
        "https://[::1",
        "https://[app.example.com]/",
    ],
)
def test_what_two_parsers_could_read_differently_is_refused_and_not_repaired(url: str) -> None:
    """D2."""
    assert urls().accept(url) is None


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil-example.com",
        "evilexample.com",
        "example.com.evil.example",
        "app.example.com.evil.example",
        "example.comx",
        "example.co",
        "com",
        "localhost",
        "127.0.0.1",
        "[::1]",
        "192.0.2.1",
    ],
)
def test_foreign_hosts_are_refused(host: str) -> None:
    """D1."""
    assert urls().accept(f"https://{host}/") is None
    assert urls().accept(f"https://{host}:443/") is None


def test_without_a_cookie_domain_only_the_portal_is_own() -> None:
    only = urls(cookie_domain=None)
    assert only.accept("https://auth.example.com:8443/")
    assert only.accept("https://x.auth.example.com/") is None
    assert only.accept("https://app.example.com/") is None
    assert only.accept("https://example.com/") is None


@pytest.mark.parametrize(
    ("entry", "accepted", "refused"),
    [
        ("app.test", ["https://app.test/", "https://app.test:8443/"], ["https://x.app.test/", "https://app.tests/"]),
        (
            "*.app.test",
            ["https://x.app.test/", "https://x.y.app.test:1/"],
            ["https://app.test/", "https://xapp.test/", "https://x.app.test.evil.example/"],
        ),
        (
            "app.test:8443",
            ["https://app.test:8443/"],
            ["https://app.test/", "https://app.test:84/", "http://app.test:8443/"],
        ),
        ("app.test:443", ["https://app.test/", "https://app.test:443/"], ["https://app.test:8443/"]),
        ("https://app.test", ["https://app.test/"], ["http://app.test/"]),
        ("http://app.test", ["http://app.test/", "http://app.test:8080/"], ["http://x.app.test/"]),
        ("http://app.test:8080", ["http://app.test:8080/"], ["http://app.test/"]),
        ("http://*.app.test", ["http://x.app.test/"], ["http://app.test/"]),
        ("[2001:db8::1]", ["https://[2001:DB8::1]/", "https://[2001:db8::1]:8443/"], ["https://[2001:db8::2]/"]),
        ("[2001:db8::1]:8443", ["https://[2001:db8::1]:8443/"], ["https://[2001:db8::1]/"]),
        ("http://[2001:db8::1]:8080", ["http://[2001:db8::1]:8080/"], ["http://[2001:db8::1]/"]),
        ("192.0.2.1", ["https://192.0.2.1:1/"], ["https://192.0.2.10/"]),
    ],
)
def test_listed_hosts_are_accepted_and_no_others(entry: str, accepted: list[str], refused: list[str]) -> None:
    listed = urls(entry, cookie_domain=None)
    assert [url for url in accepted if listed.accept(url) is None] == []
    assert [url for url in refused if listed.accept(url) is not None] == []


def test_plain_http_is_refused_where_the_portal_is_https() -> None:
    for url in ("http://auth.example.com/", "http://app.example.com/", "http://app.example.com:443/"):
        assert urls().accept(url) is None


def test_plain_http_is_accepted_where_the_portal_is_http_too() -> None:
    local = urls("app.test", portal="http://localhost:9091", cookie_domain=None)
    for url in ("http://localhost:8080/x", "https://localhost/", "http://app.test/", "https://app.test/"):
        assert local.accept(url) == url


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://App.Example.com/x?y", "https://app.example.com"),
        ("http://app.test:8080", "http://app.test:8080"),
        ("https://[2001:DB8::1]:8443/", "https://[2001:db8::1]:8443"),
        ("/account", None),
        ("", None),
    ],
)
def test_origin_is_what_a_page_may_post_to(url: str, origin: str | None) -> None:
    """W1."""
    assert origin_of(url) == origin
