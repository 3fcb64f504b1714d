"""Refuse what another site's page makes a browser send."""

from __future__ import annotations

from aiohttp import web

from gateway.errors import CrossOrigin
from gateway.grammar.hosts import is_ip_host, is_local_host, split_host_and_port

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


def require_own_host(request: web.Request, *, public_url: str) -> None:
    """Raise `CrossOrigin` unless the request was sent to us by a name that no stranger can give us.

    A page of `evil.example` whose name is made to lead here (DNS rebinding) counts as our own page for the browser. It
    cannot choose what stands in `Host`: the public URL's host, this machine's names and addresses are none of its.
    """
    own = split_host_and_port(public_url.partition("://")[2])[0]
    names = request.headers.getall("Host", ())
    try:
        hosts = [split_host_and_port(name)[0] for name in names]
    except ValueError:
        hosts = []
    if len(hosts) != 1 or not (hosts[0] == own or is_local_host(hosts[0]) or is_ip_host(hosts[0])):
        message = f"This request was sent to a host that is not ours and was refused. Send it to {public_url}."
        raise CrossOrigin(message)
