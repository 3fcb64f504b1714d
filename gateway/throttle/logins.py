"""What may be tried for one account, from wherever: counted in SQL, so that every process knows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from gateway.credentials.session_tokens import digest_token
from gateway.errors import TooManyAttempts
from gateway.storage.login_failures import (
    LoginFailures,
    clear_login_failures,
    find_login_failures,
    store_login_failures,
)
from gateway.throttle.address_limits import AddressLimits, Limit, limit_headers, throttled_address
from gateway.throttle.lines import Lines

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.credentials.known_devices import KnownDevice
    from gateway.models import Account
    from gateway.sessions import Visitor
    from gateway.storage.database import Database

# From this consecutive failure on an account pauses: 1 s, doubling up to 5 minutes, never for ever.
_FIRST_PAUSING_FAILURE = 5
_LONGEST_PAUSE = timedelta(minutes=5)
# Failures that nobody added to for a day are forgotten.
FORGOTTEN_AFTER = timedelta(days=1)


class Secret(StrEnum):
    """What is tried. Each has a count of its own: a right password says nothing about the codes."""

    PASSWORD = "password"  # noqa: S105 - a kind, no password
    CODE = "code"


_LIMITS = {Secret.PASSWORD: Limit.LOGIN, Secret.CODE: Limit.SECOND_FACTOR}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try with a secret: for which name (canonical), and from where.

    `device` is the id of a device that has logged in to this account before: its tries are counted apart, so that
    nobody else's failures keep the owner out.
    """

    name: str
    client_address: str | None
    secret: Secret = Secret.PASSWORD
    device: str | None = None
    carried: KnownDevice | None = None

    def at(self, account: Account | None) -> Attempt:
        """Give the attempt with its device, if that one knows the account as it is now."""
        known = self.carried is not None and account is not None and self.carried.knows(account.known_as)
        return replace(self, device=self.carried.id if self.carried is not None and known else None)


def attempt_of(visitor: Visitor, email: str, secret: Secret = Secret.PASSWORD) -> Attempt:
    """Make the attempt of a visitor: the one way where there may be a device cookie, for passwords and for codes."""
    return Attempt(email, visitor.client_address, secret, carried=visitor.device)


class LoginThrottle:
    """Count failures per account, and through `addresses` per address. Successes do not count.

    An attempt waits for its `turn` before the secret is looked at, and is admitted once more after it (`settle`): of
    many at the same time in several processes, those that were overtaken by the others' failures learn nothing.

    A device that knows the account has a count of its own, and its address does not matter: neither do strangers'
    failures keep it out, nor those of somebody in the same office. Its own do. A banned address stays banned.
    """

    def __init__(self, *, key: bytes, addresses: AddressLimits) -> None:
        self._key = key
        self.addresses = addresses
        self._lines = Lines()

    @asynccontextmanager
    async def turn(self, database: Database, attempt: Attempt) -> AsyncIterator[None]:
        """Give a turn to look at the secret and to settle what came of it; a failure is counted inside it as well.

        Of one account, and of one address, no more have their turn together than may still fail: however many come
        at once, those beyond the limit are refused without a look (ASVS 15.4.2). The others wait in line.
        Raises what `admit` raises, or `Unavailable`.
        """
        limit, address = _LIMITS[attempt.secret], throttled_address(attempt.client_address)

        async def room_of_address() -> int:
            return await self.addresses.admit(limit, attempt.client_address)

        async def room_of_account() -> int:
            async with database.read() as connection:
                failures = await self._admit_to_account(connection, attempt, now=datetime.now(UTC))
            return max(1, _FIRST_PAUSING_FAILURE - failures)

        async with AsyncExitStack() as turns:
            async with database.read() as connection:
                await self.addresses.require_not_banned(connection, attempt.client_address, now=datetime.now(UTC))
            # In this order: whoever waits for their own address to have room holds no place of the account's.
            if attempt.device is None:
                await turns.enter_async_context(self._lines.turn((limit, address), room_of_address))
            await turns.enter_async_context(self._lines.turn(self._account_key(attempt), room_of_account))
            yield

    async def admit(self, connection: AsyncConnection, attempt: Attempt, *, now: datetime) -> int:
        """Say how often the account failed in a row.

        Raises `Banned`, or `TooManyAttempts` while the address is over its limit or the account pauses.
        """
        await self.addresses.require_not_banned(connection, attempt.client_address, now=now)
        if attempt.device is None:
            await self.addresses.admit(_LIMITS[attempt.secret], attempt.client_address)
        return await self._admit_to_account(connection, attempt, now=now)

    async def _admit_to_account(self, connection: AsyncConnection, attempt: Attempt, *, now: datetime) -> int:
        entry = await find_login_failures(connection, self._account_key(attempt))
        if entry is None or now - entry.last_failed_at >= FORGOTTEN_AFTER:
            return 0
        if entry.paused_until is not None and entry.paused_until > now:
            wait = entry.paused_until - now
            headers = limit_headers(_FIRST_PAUSING_FAILURE, 0, wait)
            raise TooManyAttempts(_LIMITS[attempt.secret].value, retry_after=wait, headers=headers)
        return entry.failures

    async def settle(self, connection: AsyncConnection, attempt: Attempt, *, proven: bool, now: datetime) -> None:
        """Admit once more, then clear the account's count or add to it. Raises `TooManyAttempts`.

        Belongs into the transaction that acts upon the proof.
        """
        failures = await self.admit(connection, attempt, now=now)
        key = self._account_key(attempt)
        if proven:
            await clear_login_failures(connection, key)
            return
        failures += 1
        await store_login_failures(connection, key, LoginFailures(failures, now, _pause(failures, now)))

    async def count_failure_of(self, attempt: Attempt) -> None:
        """Count a failure against the address. Raises `TooManyAttempts` when it was one too many."""
        if attempt.device is None:
            await self.addresses.count(_LIMITS[attempt.secret], attempt.client_address)

    def _account_key(self, attempt: Attempt) -> bytes:
        # NUL can stand in none of the three.
        parts = attempt.secret, attempt.name, attempt.device or ""
        return digest_token("\0".join(parts), key=self._key)


def _pause(failures: int, now: datetime) -> datetime | None:
    if failures < _FIRST_PAUSING_FAILURE:
        return None
    doublings = min(failures - _FIRST_PAUSING_FAILURE, 20)
    return now + min(timedelta(seconds=2**doublings), _LONGEST_PAUSE)
