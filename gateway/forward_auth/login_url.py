"""The addresses of the portal's pages, with the way back."""

from __future__ import annotations

from urllib.parse import quote

from gateway.forward_auth.original_request import OriginalRequest

# Proxies and browsers carry about 8 kB in all; above this the visitor comes back to the page without its query.
_MAX_LENGTH = 2000


def login_url(public_url: str, original: OriginalRequest) -> str:
    """Give `<public_url>/login?rd=<original URL>`, percent-encoded once; cut to path, then origin, when too long."""
    return _with_way_back(f"{public_url}/login", original)


def enrol_url(public_url: str, original: OriginalRequest) -> str:
    """Give the address where whoever has no second factor gets one, with the same way back."""
    return _with_way_back(f"{public_url}/second-factor", original)


def _with_way_back(page: str, original: OriginalRequest) -> str:
    for return_url in (original.url, original.origin + original.path):
        url = f"{page}?rd={quote(return_url.encode('utf-8', 'surrogateescape'), safe='')}"
        if len(url) <= _MAX_LENGTH:
            return url
    return f"{page}?rd={quote(original.origin + '/', safe='')}"
