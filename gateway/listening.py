"""The sockets that a gateway listens on."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from gateway.config.addresses import ListenAddress

# Traefik opens a new connection for more than half of its checks.
BACKLOG = 1024


@contextmanager
def bound_sockets(address: ListenAddress, count: int) -> Iterator[list[list[socket.socket]]]:
    """Bind `count` times, for as long as the body runs; a name may stand for several addresses, each a socket.

    The kernel deals connections out among those that listen on one port. Raises `OSError`.
    """
    with ExitStack() as stack:
        bound: list[list[socket.socket]] = [[] for _ in range(count)]
        for family, host in _resolve(address):
            port = address.port
            for sockets in bound:
                one = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
                _bind(one, host, port, first=sockets is bound[0], shared=count > 1)
                sockets.append(one)
                port = one.getsockname()[1]
        yield bound


def url_of(sockets: Sequence[socket.socket]) -> str:
    host, port = sockets[0].getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _resolve(address: ListenAddress) -> list[tuple[socket.AddressFamily, str]]:
    found = socket.getaddrinfo(address.host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((family, str(where[0])) for family, _, _, _, where in found))


def _bind(one: socket.socket, host: str, port: int, *, first: bool, shared: bool) -> None:
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if one.family == socket.AF_INET6:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    if shared and not first:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    one.bind((host, port))
    if shared and first:
        # After it has bound: with it before, a second gateway of the same user would silently share the port.
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
