"""Who asks from where, once trusted proxies are taken off?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

# Few of them come again and again, and to read one takes longer than most steps of a check.
_REMEMBERED = 4096
_REMEMBERED_LENGTH = 64

_WITH_PORT = re.compile(r"(?P<v4>\d+\.\d+\.\d+\.\d+):\d+|\[(?P<v6>[^\]]+)\](?::\d+)?")


@dataclass(frozen=True, slots=True)
class TrustedProxies:
    """The networks whose members may speak for others; from anybody else forwarded headers mean nothing."""

    networks: tuple[IPv4Network | IPv6Network, ...]

    def trust(self, address: str) -> bool:
        """Say whether a direct peer is one of ours. What cannot be read is not."""
        parsed = parse_address(address)
        return parsed is not None and self._contain(parsed)

    def overlap(self, network: str) -> bool:
        """Say whether an address or a network holds one of ours."""
        parsed = ip_network(network)
        return any(parsed.overlaps(ours) for ours in self.networks if ours.version == parsed.version)

    def client_address(self, forwarded_for: Sequence[str]) -> str | None:
        """Find the visitor in the lines of `X-Forwarded-For`: the rightmost address that is not a trusted proxy.

        Where all are trusted it is the leftmost. `None`: absent, or not readable at the place that counts.
        """
        entries = [entry.strip() for line in forwarded_for for entry in line.split(",")]
        address: IPv4Address | IPv6Address | None = None
        for entry in reversed(entries):
            address = parse_address(entry)
            if address is None or not self._contain(address):
                break
        return None if address is None or address.is_unspecified else str(address)

    def _contain(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in self.networks if network.version == address.version)


def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """Read an address with or without a port; an IPv4-mapped one is its IPv4 address."""
    return _parse_once(text) if len(text) <= _REMEMBERED_LENGTH else _parse(text)


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    if match := _WITH_PORT.fullmatch(text):
        text = match["v4"] or match["v6"]
    try:
        # The zone of a link-local address is this machine's own name for a cable.
        address = ip_address(text.partition("%")[0] if ":" in text else text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


_parse_once = lru_cache(maxsize=_REMEMBERED)(_parse)
