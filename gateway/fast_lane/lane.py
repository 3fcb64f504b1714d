"""What all connections in the fast lane share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from gateway.fast_lane.known_heads import KnownHeads
from gateway.fast_lane.pending_writes import PendingWrites
from gateway.forward_auth.check import CheckRequest
from gateway.forward_auth.original_request import Endpoint
from gateway.forward_auth.request_headers import collect_headers
from gateway.forward_auth.wire import render

if TYPE_CHECKING:
    from gateway.fast_lane.heads import Head
    from gateway.fast_lane.known_heads import KnownHead
    from gateway.fast_lane.stamp import Stamp
    from gateway.forward_auth.checks import Checks
    from gateway.web.connections import Connections
    from gateway.web.protocol import Protocol

_MAX_PEERS = 1024
_ENDPOINTS = {f"/api/authz/{endpoint}".encode(): endpoint for endpoint in Endpoint}


@dataclass(frozen=True, slots=True)
class Lacking:
    """A check that memory most likely lets pass once `look_up` was awaited."""

    known: KnownHead
    values: list[bytes]
    look_up: Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A check that takes time."""

    endpoint: Endpoint
    head: Head
    peer: str
    lacking: Lacking | None


class Lane:
    """The checks behind it, and where connections go that ask for more: `slow` makes aiohttp's protocol."""

    def __init__(self, checks: Checks, stamp: Stamp, connections: Connections, *, slow: Callable[[], Protocol]) -> None:
        self.check = checks.full
        self.warm_at = checks.warm.__getitem__
        self.heads = KnownHeads()
        self.stamp = stamp
        self.pending_writes = PendingWrites()
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

    async def answer(self, asked: Asked) -> bytes:
        """Answer from memory once that has learned who asks; whatever else there is to say, the full check says."""
        begun_at = asyncio.get_running_loop().time()
        if (lacking := asked.lacking) is not None:
            # Whatever goes wrong, the full check meets it as well, and says so.
            with suppress(Exception):
                async with self.check.in_time(begun_at):
                    await lacking.look_up()
                return self.stamp.complete(lacking.known.warm.head(lacking.known.frame, lacking.values))
        request = CheckRequest(asked.endpoint, collect_headers(asked.head.lines), asked.peer, begun_at)
        answer = await self.check.answer(request)
        return render(answer, date=self.stamp.date, to_head=asked.head.method == b"HEAD")

    @staticmethod
    def endpoint(target: bytes) -> Endpoint | None:
        """Give the endpoint that a request is for, whatever its own query says; `None`: it is no check."""
        return _ENDPOINTS.get(target.partition(b"?")[0])
