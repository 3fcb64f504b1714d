"""What all connections in the fast lane share."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from gateway.forward_auth.original_request import Endpoint

if TYPE_CHECKING:
    from gateway.fast_lane.stamp import Stamp
    from gateway.forward_auth.checks import Checks
    from gateway.web.connections import Connections
    from gateway.web.protocol import Protocol

_MAX_PEERS = 1024
_ENDPOINTS = {f"/api/authz/{endpoint}".encode(): endpoint for endpoint in Endpoint}


class Lane:
    """The checks behind it, and where connections go that ask for more: `slow` makes aiohttp's protocol."""

    def __init__(self, checks: Checks, stamp: Stamp, connections: Connections, *, slow: Callable[[], Protocol]) -> None:
        self.check = checks.full
        self.warm = {target: checks.warm[endpoint] for target, endpoint in _ENDPOINTS.items()}
        self.warm_at = checks.warm.__getitem__
        self.stamp = stamp
        self.connections = connections
        self.slow = slow
        # Proxies are few, and Traefik connects anew for every other check.
        self.trust = lru_cache(maxsize=_MAX_PEERS)(checks.full.trust)

    @staticmethod
    def endpoint(target: bytes) -> Endpoint | None:
        """Give the endpoint that a request is for, whatever its own query says; `None`: it is no check."""
        return _ENDPOINTS.get(target.partition(b"?")[0])
