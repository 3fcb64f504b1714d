"""Chain the security events: numbers without gaps, each row sealed together with the one before it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from gateway.audit.seals import NO_SEAL, AuditSeals, Head
from gateway.errors import Unavailable
from gateway.storage.audit_checkpoints import Checkpoint, find_newest_checkpoint, insert_checkpoint
from gateway.storage.audit_events import find_newest_seal, read_unsealed, seal_events

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.storage.database import Database

_log = structlog.get_logger("gateway.security")

_INTERVAL = timedelta(seconds=1)
# The longest way from one checkpoint to the next, and so the most that is sealed or expires in one transaction.
SEGMENT = 500
_CHECKPOINT_INTERVAL = timedelta(hours=1)


class Sealer:
    """Number and seal what was recorded, once a second.

    Events get their number here and not when they are recorded: whoever records never waits for another, and the
    chain has one order, whatever order the transactions ended in.
    """

    def __init__(self, database: Database, *, seals: AuditSeals) -> None:
        self._database = database
        self._seals = seals
        self._head = Head(0, NO_SEAL)
        self._failing = False

    async def run(self) -> None:
        """Seal until cancelled."""
        while True:
            await self.seal_all()
            await asyncio.sleep(_INTERVAL.total_seconds())

    async def seal_all(self) -> None:
        """Seal whatever waits. What cannot be sealed now waits on."""
        try:
            while await self.seal():
                pass
        except Unavailable as error:
            if not self._failing:
                _log.warning("audit_sealing_failed", error=str(error))
            self._failing = True
        else:
            self._failing = False

    async def seal(self) -> int:
        """Seal what waits, up to the next checkpoint; returns how many rows. Raises `Unavailable`."""
        async with self._database.read() as connection:
            # Most of the time nothing waits, and then nothing is written.
            if not await _has_work(connection):
                return 0
        async with self._database.write() as connection:
            # Not earlier: no event that the checkpoint covers is younger than the checkpoint.
            now = datetime.now(UTC)
            checkpoint = await find_newest_checkpoint(connection)
            head = self._newest_of(await _stored_head(connection), checkpoint)
            before = head.number
            events = await read_unsealed(connection, limit=max(1, SEGMENT - _since(checkpoint, head)))
            sealed = []
            for event in events:
                number = head.number + 1
                head = Head(number, self._seals.seal_of(event, number=number, previous=head.seal))
                sealed.append((event.id, head.number, head.seal))
            if sealed:
                await seal_events(connection, sealed)
            made = _is_due(checkpoint, head, now)
            if made:
                await insert_checkpoint(connection, self._seals.checkpoint(head, at=now))
        self._head = head
        if made:
            # The log is the copy outside of the database: it shows when the tail of the chain was cut off.
            _log.info("audit_checkpoint", number=head.number, seal=head.seal.hex())
        return head.number - before

    def _newest_of(self, stored: Head, checkpoint: Checkpoint | None) -> Head:
        """Find the row to go on from. No number is given twice, so that a tail that was cut off leaves a gap."""
        kept = Head(checkpoint.number, checkpoint.seal) if checkpoint else Head(0, NO_SEAL)
        # Of equal numbers the first: what is stored.
        newest = max(stored, kept, self._head, key=lambda head: head.number)
        # Without any row the newest checkpoint is the end: all before it has expired.
        end = stored.number or kept.number
        if newest.number > end:
            _log.error("audit_log_cut", last=end, was=newest.number)
        return newest


async def _has_work(connection: AsyncConnection) -> bool:
    if await read_unsealed(connection, limit=1):
        return True
    checkpoint, head = await find_newest_checkpoint(connection), await _stored_head(connection)
    return _is_due(checkpoint, head, datetime.now(UTC))


async def _stored_head(connection: AsyncConnection) -> Head:
    newest = await find_newest_seal(connection)
    return Head(0, NO_SEAL) if newest is None else Head.of(*newest)


def _is_due(checkpoint: Checkpoint | None, head: Head, now: datetime) -> bool:
    news = _since(checkpoint, head)
    if news <= 0:
        return False
    # The first one is made at once: without any, a log that was emptied would look like a new one.
    return checkpoint is None or news >= SEGMENT or now - checkpoint.at >= _CHECKPOINT_INTERVAL


def _since(checkpoint: Checkpoint | None, head: Head) -> int:
    return head.number - (checkpoint.number if checkpoint else 0)
