from __future__ import annotations

import pytest

from gateway.grammar.hosts import (
    HostPattern,
    is_ip_host,
    normalise_host,
    parse_host_pattern,
    split_host_and_port,
)


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("example.com", "example.com"),
        ("EXAMPLE.Com", "example.com"),
        ("example.com.", "example.com"),
        ("example.com:8443", "example.com"),
        ("example.com.:443", "example.com"),
        ("localhost", "localhost"),
        ("my_service", "my_service"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example:80", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("127.0.0.1:80", "127.0.0.1"),
        ("[::1]", "[::1]"),
        ("[::1]:8080", "[::1]"),
        ("[2001:DB8:0:0:0:0:0:1]", "[2001:db8::1]"),
        ("a" * 63 + ".com", "a" * 63 + ".com"),
    ],
)
def test_host_has_one_canonical_form(written: str, host: str) -> None:
    assert normalise_host(written) == host
    assert normalise_host(host) == host


@pytest.mark.parametrize(
    "written",
    [
        "",
        ".",
        "..",
        "example.com..",
        ".example.com",
        "a..b",
        "a,b",
        "a@b",
        "a/b",
        "a b",
        " a",
        "a\tb",
        "a\x00b",
        "a\r\nb",
        "a#b",
        "a?b",
        "a%2eb",
        "a\\b",
        "-a.com",
        "a-.com",
        "*.example.com",
        "example.com:",
        "example.com:0",
        "example.com:65536",
        "example.com:80:80",
        "example.com:8o",
        "example.com:-1",
        "example.com:²",
        ":80",
        "::1",
        "[::1",
        "[::1]x",
        "[::1]:",
        "[fe80::1%eth0]",
        "[example.com]",
        "[127.0.0.1]",
        "127.1",
        "127.0.0.01",
        "256.0.0.1",
        "0x7f.1",
        "2130706433",
        "xn--a.com",
        "ex℀mple.com",
        "a\uff20b.com",
        "a\u2044b.com",
        "\ud800.com",
        "a" * 64 + ".com",
        "a." * 130 + "com",
    ],
)
def test_host_that_could_be_read_otherwise_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        normalise_host(written)


def test_port_is_told_apart() -> None:
    assert split_host_and_port("Example.com:8443") == ("example.com", 8443)
    assert split_host_and_port("example.com") == ("example.com", None)
    assert split_host_and_port("[::1]:1") == ("[::1]", 1)


def test_addresses_are_no_names() -> None:
    assert is_ip_host("127.0.0.1")
    assert is_ip_host("[::1]")
    assert not is_ip_host("example.com")


@pytest.mark.parametrize(
    ("pattern", "host", "covered"),
    [
        ("example.com", "example.com", True),
        ("example.com", "www.example.com", False),
        ("*.example.com", "www.example.com", True),
        ("*.example.com", "a.b.example.com", True),
        ("*.example.com", "example.com", False),
        ("*.example.com", "notexample.com", False),
        ("*.example.com", "example.com.evil.test", False),
        ("*.Bücher.example", "shop.xn--bcher-kva.example", True),
    ],
)
def test_star_covers_every_depth_below(pattern: str, host: str, covered: bool) -> None:  # noqa: FBT001 - a column
    assert parse_host_pattern(pattern).covers(host) is covered


def test_pattern_is_written_as_it_was_read() -> None:
    assert str(parse_host_pattern("*.Example.com")) == "*.example.com"
    assert parse_host_pattern("example.com") == HostPattern("example.com")


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "*",
        "*.",
        "*example.com",
        "www.*.com",
        "*.*.com",
        "example.com:80",
        "*.example.com:80",
        "{user}.example.com",
        "*.127.0.0.1",
        "*.[::1]",
        "https://a.b",
    ],
)
def test_other_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_host_pattern(pattern)
