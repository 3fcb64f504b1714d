"""What all connections in the fast lane share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import lru_cache
from typing import TYPE_CHECKING, Any

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
        # Checks that take time, also those whose client has gone: what they read from is not to be closed under them.
        self.asking: set[asyncio.Task[None]] = set()
        # Proxies are few, and Traefik connects anew for every other check.
        self.trust = lru_cache(maxsize=_MAX_PEERS)(checks.full.trust)

    def begin(self, check: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        asking = asyncio.create_task(check)
        self.asking.add(asking)
        asking.add_done_callback(self.asking.discard)
        return asking

    @staticmethod
    def endpoint(target: bytes) -> Endpoint | None:
        """Give the endpoint that a request is for, whatever its own query says; `None`: it is no check."""
        return _ENDPOINTS.get(target.partition(b"?")[0])
