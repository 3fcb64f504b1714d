"""The header lists that every proxy's configuration is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# Set from the check's answer, so that a visitor's own copy is replaced or removed.
IDENTITY_HEADERS = (
    "Remote-User",
    "Remote-Email",
    "Remote-Name",
    "Remote-Groups",
    "Remote-Role",
    "Remote-Organization",
    "Remote-Workspace",
    "Remote-Auth-Method",
    "Remote-Auth-Level",
    "X-Gateway-Assertion",
)

# What the check reads of the visitor's request, besides the original request itself and the workspace's header.
CHECK_HEADERS = (
    "Cookie",
    "Authorization",
    "X-API-Key",
    "Accept",
    "User-Agent",
    "Origin",
    "X-Requested-With",
    "Sec-Fetch-Mode",
    "Sec-Fetch-Dest",
    "Sec-Fetch-Site",
    "Sec-Purpose",
    "Upgrade",
    "Sec-WebSocket-Key",
    "Access-Control-Request-Method",
)

# What the page for a refused visitor reads: the same, so that it takes the visitor for the same, and the language.
DENIED_HEADERS = (*CHECK_HEADERS, "Accept-Language")

_LANGSMITHS_WORKSPACE_HEADER = "X-Tenant-Id"

# The same statements in the words of oauth2-proxy, LangSmith, Grafana, Authentik, Tailscale and Cloudflare.
REMOVED_IDENTITY_HEADERS = (
    "X-Remote-User",
    "X-Remote-Email",
    "X-Remote-Name",
    "X-Remote-Groups",
    "X-Forwarded-User",
    "X-Forwarded-Email",
    "X-Forwarded-Groups",
    "X-Forwarded-Preferred-Username",
    "X-Forwarded-Access-Token",
    "X-Auth-Request-User",
    "X-Auth-Request-Email",
    "X-Auth-Request-Groups",
    "X-Auth-Request-Preferred-Username",
    "X-Auth-Request-Access-Token",
    "X-User-Id",
    "X-Organization-Id",
    "X-User",
    "X-Auth-User",
    "X-Authenticated-User",
    "X-WebAuth-User",
    "X-WebAuth-Email",
    "X-WebAuth-Name",
    "X-WebAuth-Groups",
    "X-Authentik-Username",
    "X-Authentik-Email",
    "X-Authentik-Name",
    "X-Authentik-Groups",
    "X-Authentik-Uid",
    "X-Authentik-Jwt",
    "Tailscale-User-Login",
    "Tailscale-User-Name",
    "Cf-Access-Authenticated-User-Email",
    "Cf-Access-Jwt-Assertion",
)

# Another path, method, host or scheme than the one that was judged, for frameworks that believe them.
REMOVED_REQUEST_HEADERS = (
    # CGI and WSGI read it as the variable HTTP_PROXY, which their own requests then obey.
    "Proxy",
    "X-Original-URL",
    "X-Original-URI",
    "X-Original-Method",
    "X-Original-Host",
    "X-Rewrite-URL",
    "X-HTTP-Method",
    "X-HTTP-Method-Override",
    "X-Method-Override",
    "X-Forwarded-Uri",
    "X-Forwarded-Method",
    "X-Forwarded-Path",
    "X-Forwarded-Prefix",
    "X-Forwarded-Port",
    "X-Forwarded-Scheme",
    "X-Forwarded-Ssl",
    "X-Forwarded-Server",
    "X-Scheme",
    "X-Host",
    "Forwarded",
)

# A cookie of ours, under any of its names: which prefix it has depends on the public URL, and the browser may still
# keep one from before that changed. Cookies know no ports, so on a shared host the pages' own would arrive as well.
OUR_COOKIE = r"(?:__Host-|__Secure-)?gateway_(?:session|page|device|challenge)[ \t]*="

# The session cookie twice (a sibling host can plant one) and the three of the pages.
OUR_COOKIES_AT_MOST = 5


def with_configured(configured: Iterable[str]) -> tuple[str, ...]:
    """Give the identity headers to set: ours, and those that the settings add.

    Ours stay where the settings leave them out: the check does not send them then, so the visitor's copy is removed.
    """
    known = {name.lower() for name in IDENTITY_HEADERS}
    return (*IDENTITY_HEADERS, *(name for name in configured if name.lower() not in known))


def read_by_check(workspace_header: str) -> tuple[str, ...]:
    """Give the visitor's headers that the check is told."""
    return (*CHECK_HEADERS, *without(filter(None, [workspace_header]), CHECK_HEADERS))


def removed_from_visitors(workspace_header: str) -> tuple[str, ...]:
    """Give the identity headers in other words, and what names a workspace: the check alone has to read that.

    Where it reads none, LangSmith's name for it is the application's own affair.
    """
    if not workspace_header:
        return REMOVED_IDENTITY_HEADERS
    known = (*REMOVED_IDENTITY_HEADERS, *REMOVED_REQUEST_HEADERS, _LANGSMITHS_WORKSPACE_HEADER)
    return (*REMOVED_IDENTITY_HEADERS, _LANGSMITHS_WORKSPACE_HEADER, *without([workspace_header], known))


def without(names: Iterable[str], taken: Iterable[str]) -> tuple[str, ...]:
    """Leave out the names that are set already: nginx would send both lines."""
    found = {name.lower() for name in taken}
    return tuple(name for name in names if name.lower() not in found)
