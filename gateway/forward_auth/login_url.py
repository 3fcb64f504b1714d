"""The login page's address, with the way back."""

from __future__ import annotations

from urllib.parse import quote

from gateway.forward_auth.original_request import OriginalRequest

# Proxies and browsers carry about 8 kB in all; above this the visitor comes back to the page without its query.
_MAX_LENGTH = 2000


def login_url(public_url: str, original: OriginalRequest) -> str:
    """Give `<public_url>/login?rd=<original URL>`, percent-encoded once; cut to path, then origin, when too long."""
    for return_url in (original.url, original.origin + original.path):
        url = f"{public_url}/login?rd={quote(return_url.encode('utf-8', 'surrogateescape'), safe='')}"
        if len(url) <= _MAX_LENGTH:
            return url
    return f"{public_url}/login?rd={quote(original.origin + '/', safe='')}"
