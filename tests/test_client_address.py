"""Who asks from where: a table of peers and of `X-Forwarded-For`."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from gateway.client_address import TrustedProxies

PROXIES = TrustedProxies(tuple(map(ip_network, ("127.0.0.0/8", "::1/128", "10.0.0.0/8", "2001:db8:ffff::/48"))))
LOOPBACK = TrustedProxies((ip_network("127.0.0.0/8"), ip_network("::1/128")))


@pytest.mark.parametrize(
    ("peer", "trusted"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("10.255.0.1", True),
        ("::ffff:10.0.0.1", True),
        ("::ffff:127.0.0.1", True),
        ("2001:db8:ffff:1::2", True),
        ("11.0.0.1", False),
        ("192.0.2.1", False),
        ("::ffff:192.0.2.1", False),
        ("2001:db8::1", False),
        ("::2", False),
        ("0.0.0.0", False),  # noqa: S104 - an address of a peer
        ("::", False),
        ("", False),
        ("unix:", False),
        ("localhost", False),
        ("127.0.0.1, 127.0.0.1", False),
        ("127.1", False),
        ("0127.0.0.1", False),
        ("10.0.0.1/8", False),
    ],
)
def test_only_members_of_the_networks_may_speak_for_others(peer: str, trusted: bool) -> None:  # noqa: FBT001
    """A2."""
    assert PROXIES.trust(peer) is trusted


def test_without_networks_nobody_is_trusted() -> None:
    """A2."""
    assert not TrustedProxies(()).trust("127.0.0.1")


@pytest.mark.parametrize(
    ("lines", "client"),
    [
        # One address, in every form that proxies write.
        (["192.0.2.1"], "192.0.2.1"),
        (["192.0.2.1:4711"], "192.0.2.1"),
        (["2001:db8::1"], "2001:db8::1"),
        (["2001:DB8:0:0::1"], "2001:db8::1"),
        (["[2001:db8::1]"], "2001:db8::1"),
        (["[2001:db8::1]:99"], "2001:db8::1"),
        (["::ffff:192.0.2.1"], "192.0.2.1"),
        (["[::ffff:192.0.2.1]:99"], "192.0.2.1"),
        (["::ffff:c000:201"], "192.0.2.1"),
        ([" 192.0.2.1 "], "192.0.2.1"),
        # The rightmost that is not a trusted proxy, whatever the visitor wrote on the left.
        (["198.51.100.7, 192.0.2.1"], "192.0.2.1"),
        (["198.51.100.7,192.0.2.1,10.0.0.9"], "192.0.2.1"),
        (["198.51.100.7, 192.0.2.1, 10.0.0.9:80, ::ffff:10.0.0.8, [::1]:9"], "192.0.2.1"),
        (["127.0.0.1, 192.0.2.1"], "192.0.2.1"),
        (["nonsense, 192.0.2.1, 10.0.0.9"], "192.0.2.1"),
        (["::, 192.0.2.1"], "192.0.2.1"),
        (["", "192.0.2.1"], "192.0.2.1"),
        # Several lines are one list.
        (["198.51.100.7", "192.0.2.1"], "192.0.2.1"),
        (["192.0.2.1", "10.0.0.9", "10.0.0.8"], "192.0.2.1"),
        # All trusted: the leftmost.
        (["10.0.0.9"], "10.0.0.9"),
        (["10.0.0.9, 10.0.0.8, 127.0.0.1"], "10.0.0.9"),
        (["10.0.0.9", "127.0.0.1"], "10.0.0.9"),
        # Unknown: absent, or not readable at the place that counts.
        ([], None),
        ([""], None),
        ([" "], None),
        (["unknown"], None),
        (["_hidden"], None),
        (["192.0.2.1, unknown"], None),
        (["192.0.2.1, unknown, 10.0.0.9"], None),
        (["192.0.2.1,"], None),
        (["192.0.2.1", ""], None),
        (["0.0.0.0"], None),  # noqa: S104 - an address of a visitor
        (["::"], None),
        (["[::]:80"], None),
        (["::ffff:0.0.0.0"], None),
        (["192.0.2.1, 0.0.0.0"], None),
        (["192.0.2"], None),
        (["192.0.2.01"], None),
        (["192.0.2.1.5"], None),
        (["256.0.2.1"], None),
        (["3221225985"], None),
        (["0xc0000201"], None),
        (["192.0.2.1:"], None),
        (["192.0.2.1:x"], None),
        (["192.0.2.1:80:80"], None),
        (["192.0.2.1%eth0"], None),
        (["192.0.2.1 evil"], None),
        (["192.0.2.1/32"], None),
        (["2001:db8::1::2"], None),
        (["[2001:db8::1"], None),
        (["[2001:db8::1]x"], None),
        (["2001:db8::1]:80"], None),
        (["for=192.0.2.1"], None),
        (['"192.0.2.1"'], None),
        (["192.0.2.1; 10.0.0.9"], None),
        (["\u0661\u0669\u0662.0.2.1"], None),
        (["192.0.2.1\udcff"], None),
    ],
)
def test_client_is_the_rightmost_address_that_is_no_trusted_proxy(lines: list[str], client: str | None) -> None:
    """A5."""
    assert PROXIES.client_address(lines) == client


def test_trusting_fewer_proxies_finds_another_client() -> None:
    """A5."""
    assert LOOPBACK.client_address(["192.0.2.1, 10.0.0.9, 127.0.0.1"]) == "10.0.0.9"


def test_long_list_is_read_from_the_right() -> None:
    assert PROXIES.client_address(["198.51.100.7, " * 5000 + "192.0.2.1, 10.0.0.9"]) == "192.0.2.1"
