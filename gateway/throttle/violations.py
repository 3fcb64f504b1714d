"""Addresses that do not stop: who is told "too many" too often is banned."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from limits import RateLimitItemPerHour
from limits.aio.strategies import MovingWindowRateLimiter

from gateway.errors import Unavailable
from gateway.throttle.address_limits import UNKNOWN_ADDRESS, throttled_address
from gateway.throttle.window_storage import WindowStorage

if TYPE_CHECKING:
    from gateway.client_address import TrustedProxies
    from gateway.throttle.bans import AddressBans

_log = structlog.get_logger("gateway.security")

_REASON = "over its limits twenty times within an hour"
_VIOLATIONS = RateLimitItemPerHour(20, namespace="VIOLATIONS")
_RETRY = timedelta(seconds=1)


class Violations:
    """Count refusals of the per-address limits, and ban at the twentieth within an hour.

    Bans are written in the background: a refusal may come from inside a transaction, which it rolls back.
    """

    def __init__(
        self,
        bans: AddressBans,
        *,
        ban_duration: timedelta,
        trusted_proxies: TrustedProxies,
        windows: WindowStorage | None = None,
    ) -> None:
        self._bans = bans
        self._ban_duration = ban_duration
        self._trusted_proxies = trusted_proxies
        self._windows = MovingWindowRateLimiter(windows or WindowStorage())
        self._due: asyncio.Queue[str] = asyncio.Queue()

    async def note(self, client_address: str | None) -> None:
        """Count one. An unknown address and a proxy's own stand for everybody: they are never banned by themselves."""
        address = throttled_address(client_address)
        if address == UNKNOWN_ADDRESS or self._trusted_proxies.overlap(address):
            return
        await self._windows.hit(_VIOLATIONS, address)
        if (await self._windows.get_window_stats(_VIOLATIONS, address)).remaining == 0:
            # Whoever is unbanned starts anew.
            await self._windows.clear(_VIOLATIONS, address)
            self._due.put_nowait(address)

    async def run(self) -> None:
        """Write bans until cancelled."""
        while True:
            address = await self._due.get()
            until = datetime.now(UTC) + self._ban_duration
            try:
                await self._bans.ban(address, until=until, reason=_REASON, replace=False)
            except Unavailable:
                _log.warning("ban_not_written", client_address=address)
                self._due.put_nowait(address)
                await asyncio.sleep(_RETRY.total_seconds())
