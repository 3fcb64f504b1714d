"""Banned addresses: who may not try secrets for a while, and who decided that."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from gateway.audit.events import EventKind, record
from gateway.facts.facts import address_subject
from gateway.storage.banned_addresses import (
    BannedAddress,
    address_is_banned,
    ban_address,
    list_banned_addresses,
    unban_address,
)
from gateway.storage.invalidations import append_invalidation

if TYPE_CHECKING:
    from gateway.storage.database import Database

_log = structlog.get_logger("gateway.security")


class AddressBans:
    """Ban addresses in the form of `throttled_address`, and lift bans.

    A ban, its audit event and its entry in the invalidation log are one transaction: passwords that were proven from
    the address are not known any more. Sessions, tokens and API keys do not care.
    """

    def __init__(self, database: Database, *, doorbell: Callable[[str], None]) -> None:
        self._database = database
        self._doorbell = doorbell

    async def ban(self, address: str, *, until: datetime | None, reason: str, replace: bool = True) -> None:
        """Ban until a moment, or until it is lifted; `replace` says whether a ban that is there gives way."""
        now = datetime.now(UTC)
        subject = address_subject(address)
        async with self._database.write() as connection:
            if not replace and await address_is_banned(connection, address, now=now):
                return
            await ban_address(connection, BannedAddress(address, reason, created_at=now, expires_at=until))
            until_when = _written(until)
            await record(connection, EventKind.ADDRESS_BANNED, address=address, reason=reason, until=until_when)
            await append_invalidation(connection, subject, now=now)
        self._doorbell(subject)
        _log.info("address_banned", client_address=address, until=until_when, reason=reason)

    async def unban(self, address: str) -> bool:
        """Lift a ban; says whether there was one."""
        async with self._database.write() as connection:
            lifted = await unban_address(connection, address)
            if lifted:
                await record(connection, EventKind.ADDRESS_UNBANNED, address=address)
        if lifted:
            _log.info("address_unbanned", client_address=address)
        return lifted

    async def list(self) -> list[BannedAddress]:
        async with self._database.read() as connection:
            return await list_banned_addresses(connection, now=datetime.now(UTC))


def _written(until: datetime | None) -> str:
    return "it is lifted" if until is None else until.isoformat(timespec="seconds")
