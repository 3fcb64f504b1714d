"""What one address may try, whoever it says it is: kept where it may be lost without harm."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from ipaddress import IPv6Address, ip_network
from typing import TYPE_CHECKING, NoReturn

from limits import RateLimitItemPerSecond
from limits.aio.strategies import MovingWindowRateLimiter

from gateway.client_address import parse_address
from gateway.errors import Banned, TooManyAttempts
from gateway.storage.banned_addresses import address_is_banned
from gateway.throttle.window_storage import WindowStorage

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.throttle.violations import Violations

_IPV6_PREFIX = 64
UNKNOWN_ADDRESS = "unknown"


class Limit(Enum):
    """What is counted for an address; the value is said to whoever is over it."""

    LOGIN = "Too many login attempts. Please try again later."
    SECOND_FACTOR = "Too many codes were tried. Please try again later."
    REGISTER = "Too many accounts were registered. Please try again later."
    RESET_REQUEST = "Too many reset links were asked for. Please try again later."
    VERIFY_EMAIL = "Too many verification attempts. Please try again later."


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many in how long."""

    amount: int
    window: timedelta


class AddressLimits:
    """Count per address, IPv6 per /64: failures with LOGIN and SECOND_FACTOR, every call with the others.

    Each refusal is a violation: `violations` bans whoever has too many (`None`: nobody).
    """

    def __init__(
        self,
        allowances: Mapping[Limit, Allowance],
        *,
        windows: WindowStorage | None = None,
        violations: Violations | None = None,
    ) -> None:
        self.violations = violations
        self._storage = windows or WindowStorage()
        self._limits = {
            limit: RateLimitItemPerSecond(allowance.amount, int(allowance.window.total_seconds()), namespace=limit.name)
            for limit, allowance in allowances.items()
        }
        self._windows = MovingWindowRateLimiter(self._storage)

    async def require_not_banned(
        self, connection: AsyncConnection, client_address: str | None, *, now: datetime
    ) -> None:
        """Raise `Banned` before anything else is looked at."""
        if await address_is_banned(connection, throttled_address(client_address), now=now):
            raise Banned

    async def close(self) -> None:
        await self._storage.close()

    async def admit(self, limit: Limit, client_address: str | None) -> int:
        """Say how many more the address may. Raises `TooManyAttempts` while it is over its limit."""
        item, address = self._limits[limit], throttled_address(client_address)
        stats = await self._windows.get_window_stats(item, address)
        if stats.remaining <= 0:
            await self._refuse(limit, client_address, until=stats.reset_time)
        return stats.remaining

    async def count(self, limit: Limit, client_address: str | None) -> None:
        """Count one. Raises `TooManyAttempts` when it was one too many."""
        item, address = self._limits[limit], throttled_address(client_address)
        if not await self._windows.hit(item, address):
            stats = await self._windows.get_window_stats(item, address)
            await self._refuse(limit, client_address, until=stats.reset_time)

    async def _refuse(self, limit: Limit, client_address: str | None, *, until: float) -> NoReturn:
        if self.violations is not None:
            await self.violations.note(client_address)
        wait = timedelta(seconds=max(1, math.ceil(until - time.time())))
        headers = limit_headers(self._limits[limit].amount, 0, wait)
        raise TooManyAttempts(limit.value, retry_after=wait, headers=headers)


def throttled_address(client_address: str | None) -> str:
    """Give what is counted: an IPv4 address, or the /64 that one IPv6 customer has. Unknown ones share a count."""
    if client_address is None:
        return UNKNOWN_ADDRESS
    address = parse_address(client_address)
    if isinstance(address, IPv6Address):
        return str(ip_network((address, _IPV6_PREFIX), strict=False))
    return UNKNOWN_ADDRESS if address is None else str(address)


def limit_headers(limit: int, remaining: int, reset: timedelta) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset": str(max(1, math.ceil(reset.total_seconds()))),
    }
