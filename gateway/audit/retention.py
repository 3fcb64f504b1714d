"""Remove security events that were kept long enough, so that the rest can still be verified."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from gateway.audit.seals import AuditSeals, Head, Place
from gateway.storage.audit_checkpoints import Checkpoint, find_checkpoint_at_or_after, make_beginning
from gateway.storage.audit_events import delete_events_up_to, find_first_number

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

_log = structlog.get_logger("gateway.security")


class AuditRetention:
    """One step of the cleaning: whole segments go, from the beginning up to a checkpoint.

    The checkpoint gets a proof of its own kind: a beginning that somebody else made by deleting rows has none.
    """

    name = "audit_events"

    def __init__(self, *, seals: AuditSeals, retention: timedelta) -> None:
        self._seals = seals
        self._retention = retention
        self._distrusted: int | None = None

    async def finds(self, connection: AsyncConnection, *, now: datetime) -> bool:
        return await self._expired_segment(connection, now=now) is not None

    async def remove(self, connection: AsyncConnection, *, now: datetime, limit: int) -> int:
        """Remove the oldest segment if it has expired. Its length is bounded by the sealer, whatever the limit."""
        del limit
        end = await self._expired_segment(connection, now=now)
        if end is None:
            return 0
        removed = await delete_events_up_to(connection, end.number)
        mac = self._seals.checkpoint_mac(Head(end.number, end.seal), at=end.at, place=Place.BEGINNING)
        await make_beginning(connection, end.number, mac=mac)
        _log.info("audit_events_expired", up_to=end.number, count=removed)
        return removed

    async def _expired_segment(self, connection: AsyncConnection, *, now: datetime) -> Checkpoint | None:
        """Give the end of the oldest segment if it has expired: no event in it is younger than its checkpoint."""
        first = await find_first_number(connection)
        end = None if first is None else await find_checkpoint_at_or_after(connection, first)
        if end is None or end.at >= now - self._retention:
            return None
        if self._seals.place_of(end) is None:
            # A forged moment would make us remove what is young, and vouch for the new beginning.
            if self._distrusted != end.number:
                _log.error("audit_checkpoint_forged", number=end.number)
            self._distrusted = end.number
            return None
        return end
