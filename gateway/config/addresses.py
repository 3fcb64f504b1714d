"""Settings that are addresses: where we listen, where we are seen, whom we trust, where browsers may go."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from gateway.config.written import text_of
from gateway.grammar.hosts import is_ip_host, normalise_host, parse_port, split_host_and_port
from gateway.grammar.redirect_targets import RedirectTarget, parse_redirect_target

_DEFAULT_PORTS = {"http": 80, "https": 443}
_PUBLIC_URL = re.compile(r"(?P<scheme>https?)://(?P<authority>[^/?#@\\\s]+)/?", re.IGNORECASE | re.ASCII)

# Registries that sell names below a second label; the whole list of public suffixes would be too much for a warning.
_SECOND_LEVEL_REGISTRIES = frozenset({"ac", "co", "com", "edu", "gov", "net", "or", "org"})
_COUNTRY_CODE_LENGTH = 2


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """Host without brackets, and port; port 0 takes any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_listen_address(written: object) -> ListenAddress:
    """Read `host:port`."""
    if isinstance(written, ListenAddress):
        return written
    host, colon, port = text_of(written).rpartition(":")
    if not colon or not host:
        message = "write host and port; 0.0.0.0 listens on every IPv4 address, [::] on every address"
        raise ValueError(message)
    if host.count(":") and not host.startswith("["):
        message = "an IPv6 address stands in brackets, such as [::1]:9091"
        raise ValueError(message)
    return ListenAddress(normalise_host(host).strip("[]"), 0 if port == "0" else parse_port(port))


def parse_public_url(written: object) -> str:
    """Return scheme, host and port other than the scheme's own; no slash at the end."""
    match = _PUBLIC_URL.fullmatch(text_of(written))
    if match is None:
        message = "must be http:// or https://, a host and perhaps a port; no path, query or user"
        raise ValueError(message)
    scheme = match["scheme"].lower()
    host, port = split_host_and_port(match["authority"])
    return f"{scheme}://{host}" + (f":{port}" if port not in (None, _DEFAULT_PORTS[scheme]) else "")


def parse_network(written: object) -> IPv4Network | IPv6Network:
    """Read a network or a single address; set host bits are cut off (and warned about by `advice`)."""
    if isinstance(written, IPv4Network | IPv6Network):
        return written
    try:
        network = ip_network(text_of(written), strict=False)
    except ValueError:
        message = "neither an address nor a network"
        raise ValueError(message) from None
    if isinstance(network, IPv6Network) and network.network_address.ipv4_mapped and network.prefixlen >= 96:  # noqa: PLR2004
        return ip_network(f"{network.network_address.ipv4_mapped}/{network.prefixlen - 96}")
    return network


def has_host_bits(written: str) -> bool:
    """Tell whether a network that `parse_network` took names a host inside it."""
    try:
        ip_network(written)
    except ValueError:
        return True
    return False


def read_redirect_target(written: object) -> RedirectTarget:
    """Read a host that a browser may be sent to."""
    return written if isinstance(written, RedirectTarget) else parse_redirect_target(text_of(written))


def parse_cookie_domain(written: object, *, public_host: str | None) -> str:
    """Read the domain that shares our cookie; it must be the public host or a parent that one organization owns."""
    domain = normalise_host(text_of(written).removeprefix("."))
    if is_ip_host(domain) or domain == "localhost" or domain.endswith(".localhost"):
        message = "browsers take no cookie for a whole address or localhost: leave it out"
        raise ValueError(message)
    if "." not in domain or _is_registry(domain):
        message = "a cookie for a whole registry would go to strangers, and browsers refuse it: name your own domain"
        raise ValueError(message)
    if public_host is not None and domain != public_host and not public_host.endswith("." + domain):
        message = f"must be the host of public_url ({public_host}) or a domain above it"
        raise ValueError(message)
    return domain


def _is_registry(domain: str) -> bool:
    labels = domain.split(".")
    return len(labels) == 2 and labels[0] in _SECOND_LEVEL_REGISTRIES and len(labels[1]) == _COUNTRY_CODE_LENGTH  # noqa: PLR2004
