"""Hosts and host patterns in one canonical form: lower case, A-labels, no port, no trailing dot."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

import idna

_MAX_HOST_LENGTH = 253
_MAX_PORT = 65535

# Underscores are no host names by RFC 952, but resolvers, Docker networks and browsers take them.
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_PORT = re.compile(r"[0-9]{1,5}", re.ASCII)


def normalise_host(text: str) -> str:
    """Return the canonical host of a `host[:port]`; raise ValueError for anything a proxy could read otherwise."""
    return split_host_and_port(text)[0]


def split_host_and_port(text: str) -> tuple[str, int | None]:
    """Split `host[:port]` into its canonical host (IPv6 keeps its brackets) and port."""
    if text.startswith("["):
        literal, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            message = "an IPv6 host is written in brackets, such as [::1] or [::1]:9091"
            raise ValueError(message)
        return _ipv6_host(literal), parse_port(rest[1:]) if rest else None
    name, colon, port = text.partition(":")
    return _name_or_ipv4(name), parse_port(port) if colon else None


def parse_port(text: str) -> int:
    """Read a port between 1 and 65535."""
    if not _PORT.fullmatch(text) or not 0 < int(text) <= _MAX_PORT:
        message = f"a port is a number between 1 and {_MAX_PORT}"
        raise ValueError(message)
    return int(text)


def is_ip_host(host: str) -> bool:
    """Tell whether a canonical host is an address and not a name."""
    return host.startswith("[") or _ends_in_a_number(host)


def is_local_host(host: str) -> bool:
    """Tell whether a canonical host means this machine only, so that no visitor could be sent there."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _ipv6_host(literal: str) -> str:
    if "%" in literal:
        message = "an IPv6 host cannot carry a zone"
        raise ValueError(message)
    try:
        return f"[{ipaddress.IPv6Address(literal).compressed}]"
    except ValueError:
        message = "what stands in the brackets is not an IPv6 address"
        raise ValueError(message) from None


def _name_or_ipv4(text: str) -> str:
    name = to_a_labels(text)
    if _ends_in_a_number(name):
        # Browsers read `127.1`, `0x7f.1` and `2130706433` as addresses too; only what all read alike passes.
        try:
            return str(ipaddress.IPv4Address(name))
        except ValueError:
            message = "this is neither a name nor an IPv4 address of four numbers"
            raise ValueError(message) from None
    return name


def to_a_labels(text: str) -> str:
    """Bring a domain name into lower case and A-labels (UTS 46, then IDNA 2008), without one trailing dot."""
    if text.isascii():
        name = text.lower().removesuffix(".")
    else:
        try:
            name = idna.encode(text, uts46=True).decode("ascii").removesuffix(".")
        except UnicodeError:
            message = "this is not a host name that IDNA allows"
            raise ValueError(message) from None
    if not name or len(name) > _MAX_HOST_LENGTH:
        message = f"a host has between 1 and {_MAX_HOST_LENGTH} characters"
        raise ValueError(message)
    for label in name.split("."):
        _require_label(label)
    return name


def _require_label(label: str) -> None:
    if not _LABEL.fullmatch(label):
        message = "a host consists of labels of letters, digits and hyphens, joined by single dots"
        raise ValueError(message)
    if label.startswith("xn--"):
        try:
            idna.decode(label)
        except UnicodeError:
            message = f"the label {label} is not a well-formed A-label"
            raise ValueError(message) from None


def _ends_in_a_number(name: str) -> bool:
    last = name.rpartition(".")[2]
    return last.isdigit() or re.fullmatch(r"0x[0-9a-f]*", last, re.ASCII) is not None


@dataclass(frozen=True, slots=True)
class HostPattern:
    """One host, or (`*.example.com`) every host of any depth below one; never that one itself."""

    host: str
    covers_below: bool = False

    def covers(self, host: str) -> bool:
        """Tell whether a canonical host falls under the pattern."""
        return host.endswith("." + self.host) if self.covers_below else host == self.host

    def __str__(self) -> str:
        return f"*.{self.host}" if self.covers_below else self.host


def parse_host_pattern(text: str) -> HostPattern:
    """Read `host` or `*.host`; ports do not belong here."""
    if "{" in text:
        message = "{user} and {group} have no meaning here"
        raise ValueError(message)
    covers_below = text.startswith("*.")
    name = text[2:] if covers_below else text
    if "*" in name:
        message = "a star stands only in front, for whole labels, such as *.example.com"
        raise ValueError(message)
    host, port = split_host_and_port(name)
    if port is not None:
        message = "a host pattern has no port: leave it out, every port is covered"
        raise ValueError(message)
    if covers_below and is_ip_host(host):
        message = "nothing lies below an address: leave out the star"
        raise ValueError(message)
    return HostPattern(host, covers_below)
