"""Hosts that a browser may be sent to after a login: `[scheme://]host[:port]`, the host perhaps as `*.host`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateway.grammar.hosts import HostPattern, parse_host_pattern, parse_port

_TARGET = re.compile(r"(?:(?P<scheme>https?)://)?(?P<host>\[[^\]]*\]|[^:]*)(?::(?P<port>.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class RedirectTarget:
    """A host pattern; any port unless one is given; `scheme` where one is required."""

    pattern: HostPattern
    port: int | None = None
    scheme: str | None = None

    def covers(self, *, scheme: str, host: str, port: int, plain_http: bool) -> bool:
        """Tell whether a URL falls under it; an http one only where that was written, or `plain_http` says so."""
        right_scheme = scheme == self.scheme if self.scheme else scheme == "https" or plain_http
        return right_scheme and self.pattern.covers(host) and self.port in (None, port)

    def __str__(self) -> str:
        return f"{self.scheme}://" * bool(self.scheme) + str(self.pattern) + f":{self.port}" * bool(self.port)


def parse_redirect_target(text: str) -> RedirectTarget:
    """Read a target; raise ValueError with what is wrong."""
    match = _TARGET.fullmatch(text)
    if match is None or "/" in match["host"] or "/" in (match["port"] or ""):
        message = "must be a host or *.host, perhaps with a port and with http:// or https:// in front; no path"
        raise ValueError(message)
    port = None if match["port"] is None else parse_port(match["port"])
    return RedirectTarget(parse_host_pattern(match["host"]), port, match["scheme"])
