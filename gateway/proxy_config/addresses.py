"""What the operator says: which site, which application, where nginx listens."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from gateway.grammar.hosts import normalise_host, parse_port, split_host_and_port

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Application:
    """The address of the application behind the proxy."""

    scheme: str
    host: str
    port: int

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def secure(self) -> bool:
        return self.scheme == "https"


def parse_application(url: str) -> Application:
    """Read `http://host[:port]`; a path is refused, since the check judges the path that the visitor sent."""
    parts = urlsplit(url)
    if parts.scheme not in _DEFAULT_PORTS or not parts.netloc or parts.path.strip("/") or parts.query or parts.fragment:
        message = f"an application is written as http://host:port, without a path, not as {url!r}"
        raise ValueError(message)
    host, port = split_host_and_port(parts.netloc)
    return Application(parts.scheme, host, port or _DEFAULT_PORTS[parts.scheme])


def parse_gateway(url: str) -> str:
    """Read `http://host[:port]` of a gateway as the proxy reaches it: TLS would end before it, at another proxy."""
    try:
        gateway = parse_application(url)
    except ValueError:
        gateway = None
    if gateway is None or gateway.secure:
        message = f"a gateway is written as http://host:port, without a path, not as {url!r}"
        raise ValueError(message)
    return gateway.address


def parse_site(host: str) -> str:
    """Read the site's host: a name or an address, without a port."""
    name, port = split_host_and_port(host)
    if port is not None:
        message = "a site is a host without a port: the port is where the proxy listens"
        raise ValueError(message)
    return name


def parse_listen(text: str) -> str:
    """Read `port` or `address:port`."""
    address, _, port = text.rpartition(":")
    return f"{normalise_host(address)}:{parse_port(port)}" if address else str(parse_port(port))


def reachable(host: str) -> str:
    """Turn the address that the gateway listens on into one that a proxy on the same machine can connect to."""
    name = host.removeprefix("[").removesuffix("]")
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name
    if address.is_unspecified:
        address = ipaddress.ip_address("127.0.0.1" if address.version == 4 else "::1")  # noqa: PLR2004 - IP versions
    return f"[{address}]" if isinstance(address, ipaddress.IPv6Address) else str(address)
