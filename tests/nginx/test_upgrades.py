"""Only a WebSocket is upgraded: within any other tunnel the visitor would go on asking, past the check."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.protected_site import values_of

if TYPE_CHECKING:
    from tests.support.protected_site import ProtectedSite


@pytest.mark.parametrize("protocol", ["h2c", "h2c, websocket", "websocket, h2c", "HTTP/2.0", "foo/2"])
def test_no_other_protocol_is_passed_on(site: ProtectedSite, protocol: str) -> None:
    """B2."""
    headers = site.application_headers(
        f"Upgrade: {protocol}", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABkAAQAAP__"
    )
    assert values_of(headers, "Upgrade") == []
    assert "upgrade" not in "".join(values_of(headers, "Connection")).lower()


def test_visitors_proxy_header_is_removed(site: ProtectedSite) -> None:
    """CGI and WSGI applications read it as HTTP_PROXY."""
    assert values_of(site.application_headers("Proxy: http://evil.example/"), "Proxy") == []
