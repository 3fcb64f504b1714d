"""Refuse what another site's page makes a browser send."""

from __future__ import annotations

from aiohttp import web

from gateway.errors import CrossOrigin

# Siblings (`same-site`) are foreign: the protected applications live there.
_OWN_SITES = frozenset({"same-origin", "none"})


def require_own_origin(request: web.Request, *, public_url: str) -> None:
    """Raise `CrossOrigin` unless the request comes from our own page, or from no page at all (ASVS 3.5.1).

    Browsers send at least one of the two headers with every unsafe method; a program sends neither and passes,
    for it has nobody's cookies but its own.
    """
    # All lines: of two, a proxy and we might believe different ones.
    sites = request.headers.getall("Sec-Fetch-Site", ())
    origins = request.headers.getall("Origin", ())
    if any(site not in _OWN_SITES for site in sites) or any(origin != public_url for origin in origins):
        message = f"This request came from another site and was refused. Open {public_url} and try again."
        raise CrossOrigin(message)
