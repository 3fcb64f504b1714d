"""Where the browser may go after a login."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote

from gateway.grammar.hosts import HostPattern, split_host_and_port
from gateway.grammar.redirect_targets import RedirectTarget

# Only what every parser reads alike: no backslash, blank, control or 8-bit character, no user info. Nothing is
# repaired (a WHATWG parser takes `https:\\host` and `/\host` for other hosts, and drops tabs and line ends).
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<authority>[a-z0-9._-]+(?::[0-9]+)?|\[[0-9a-f:.]+\](?::[0-9]+)?)(?:[/?#][!-\[\]-~]*)?",
    re.IGNORECASE | re.ASCII,
)
_PATH_OF_THE_PORTAL = re.compile(r"/(?![/\\])[!-\[\]-~]*")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class ReturnUrls:
    """Decide whether a return URL leads to one of our own hosts (ASVS 3.7.2)."""

    allowed: tuple[RedirectTarget, ...]
    plain_http: bool

    @classmethod
    def of(cls, *, public_url: str, cookie_domain: str | None, allowed_redirects: Sequence[RedirectTarget]) -> Self:
        """Allow the portal's host and the cookie domain with all below it, and what is listed."""
        own = [HostPattern(split_host_and_port(public_url.partition("://")[2])[0])]
        if cookie_domain is not None:
            own += [HostPattern(cookie_domain), HostPattern(cookie_domain, covers_below=True)]
        return cls(
            allowed=(*map(RedirectTarget, own), *allowed_redirects),
            # Applications are as safe as the portal is: from https nobody is sent to http, unless the list says so.
            plain_http=public_url.startswith("http:"),
        )

    def accept(self, url: str) -> str | None:
        """Give the URL back if a browser may be sent there: one of ours, or a path of the portal."""
        if _PATH_OF_THE_PORTAL.fullmatch(url):
            return url
        match = _URL.fullmatch(url)
        if match is None:
            return None
        scheme = match["scheme"].lower()
        try:
            host, port = split_host_and_port(match["authority"])
        except ValueError:
            return None
        port = port or _DEFAULT_PORTS[scheme]
        covered = (
            target.covers(scheme=scheme, host=host, port=port, plain_http=self.plain_http) for target in self.allowed
        )
        return url if any(covered) else None


def origin_of(url: str) -> str | None:
    """Give scheme, host and port of an accepted URL; a path of the portal has none of its own."""
    match = _URL.fullmatch(url)
    return None if match is None else f"{match['scheme']}://{match['authority']}".lower()


def with_return_url(path: str, return_url: str) -> str:
    """Give the address of a page of ours that leads on to an accepted URL, if there is one."""
    return f"{path}?rd={quote(return_url, safe='')}" if return_url else path
