"""How often may one try?"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_network
from typing import TYPE_CHECKING

from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from gateway.client_address import parse_address
from gateway.credentials.session_tokens import digest_token
from gateway.errors import TooManyAttempts
from gateway.storage.login_failures import (
    LoginFailures,
    clear_login_failures,
    find_login_failures,
    store_login_failures,
)

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

# From this consecutive failure on an account pauses: 1 s, doubling up to 5 minutes, never for ever.
_FIRST_PAUSING_FAILURE = 5
_LONGEST_PAUSE = timedelta(minutes=5)
# Failures that nobody added to for a day are forgotten.
_FORGOTTEN_AFTER = timedelta(days=1)
_IPV6_PREFIX = 64
_UNKNOWN_ADDRESS = "unknown"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try with a secret: for which name (canonical), and from where."""

    name: str
    client_address: str | None


class LoginThrottle:
    """Count failures per account (in SQL) and per address (in process). Successes do not count.

    An attempt is admitted before the secret is looked at and once more after it: of many at the same time,
    those that were overtaken by the others' failures learn nothing.
    """

    def __init__(self, *, key: bytes, max_failures: int, window: timedelta) -> None:
        self._key = key
        self._limit = RateLimitItemPerSecond(max_failures, int(window.total_seconds()))
        self._addresses = MovingWindowRateLimiter(MemoryStorage())

    async def admit(self, connection: AsyncConnection, attempt: Attempt, *, now: datetime) -> None:
        """Raise `TooManyAttempts` while the address is over its limit or the account pauses."""
        address = throttled_address(attempt.client_address)
        if not await self._addresses.test(self._limit, address):
            await self._refuse_address(address)
        entry = await find_login_failures(connection, self._account_key(attempt))
        if entry is not None and entry.paused_until is not None and entry.paused_until > now:
            raise TooManyAttempts(retry_after=entry.paused_until - now, headers=self._account_headers(entry, now))

    async def settle(self, connection: AsyncConnection, attempt: Attempt, *, proven: bool, now: datetime) -> None:
        """Admit once more, then clear the account's count or add to it. Raises `TooManyAttempts`.

        Belongs into the transaction that acts upon the proof.
        """
        await self.admit(connection, attempt, now=now)
        key = self._account_key(attempt)
        if proven:
            await clear_login_failures(connection, key)
            return
        before = await find_login_failures(connection, key)
        recent = before is not None and now - before.last_failed_at < _FORGOTTEN_AFTER
        failures = (before.failures if before is not None and recent else 0) + 1
        await store_login_failures(connection, key, LoginFailures(failures, now, _pause(failures, now)))

    async def count_failure_of(self, client_address: str | None) -> None:
        """Count a failure against the address. Raises `TooManyAttempts` when it was one too many."""
        address = throttled_address(client_address)
        if not await self._addresses.hit(self._limit, address):
            await self._refuse_address(address)

    def _account_key(self, attempt: Attempt) -> bytes:
        return digest_token(attempt.name, key=self._key)

    async def _refuse_address(self, address: str) -> None:
        stats = await self._addresses.get_window_stats(self._limit, address)
        wait = timedelta(seconds=max(1, math.ceil(stats.reset_time - time.time())))
        raise TooManyAttempts(retry_after=wait, headers=_limit_headers(self._limit.amount, 0, wait))

    def _account_headers(self, entry: LoginFailures, now: datetime) -> dict[str, str]:
        return _limit_headers(_FIRST_PAUSING_FAILURE, 0, (entry.paused_until or now) - now)


def throttled_address(client_address: str | None) -> str:
    """Give what is counted: an IPv4 address, or the /64 that one IPv6 customer has. Unknown ones share a count."""
    if client_address is None:
        return _UNKNOWN_ADDRESS
    address = parse_address(client_address)
    if isinstance(address, IPv6Address):
        return str(ip_network((address, _IPV6_PREFIX), strict=False))
    return _UNKNOWN_ADDRESS if address is None else str(address)


def _pause(failures: int, now: datetime) -> datetime | None:
    if failures < _FIRST_PAUSING_FAILURE:
        return None
    doublings = min(failures - _FIRST_PAUSING_FAILURE, 20)
    return now + min(timedelta(seconds=2**doublings), _LONGEST_PAUSE)


def _limit_headers(limit: int, remaining: int, reset: timedelta) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset": str(max(1, math.ceil(reset.total_seconds()))),
    }
