"""Does the audit log hold what was recorded?"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING

from gateway.audit.sealing import SEGMENT
from gateway.audit.seals import NO_SEAL, AuditSeals, Head, Place
from gateway.storage.audit_checkpoints import list_checkpoints
from gateway.storage.audit_events import StoredEvent, count_unsealed, find_newest_number, read_sealed

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.storage.database import Database

_BATCH = 2_000

Progress = Callable[[int], None]


class Fault(Enum):
    """What is wrong; the value says it of the first row or checkpoint that is."""

    BEGINNING_REMOVED = "row {number} is missing at the beginning of the log: it was removed before it had expired"
    REMOVED = "row {number} is missing: it was removed after it had been sealed"
    ALTERED = "row {number} was altered after it had been sealed"
    MISPLACED = (
        "row {number} is not what was sealed in this place: it was inserted, moved here from elsewhere, or altered"
    )
    UNREADABLE = "row {number} cannot be read: it was altered after it had been sealed"
    CHECKPOINT_UNREADABLE = "a checkpoint after row {number} cannot be read: it was altered"
    CHECKPOINT_FORGED = (
        "checkpoint {number} was not made with this encryption key: it was forged, or the key was another one then"
    )
    CHECKPOINT_MISSING = "a checkpoint is missing before or at row {number}: it was removed"
    CHECKPOINT_CONTRADICTED = (
        "row {number} is not the one that its checkpoint was made for: rows were cut off, and others put in their place"
    )
    TAIL_CUT = "row {number} is missing at the end of the log: it had been sealed, and the tail was cut off"
    OTHER_HEAD = "row {number} does not have the seal that you kept: the log was replaced, or cut off and continued"
    HEAD_EXPIRED = "row {number}, whose seal you kept, has expired and cannot be compared any more: keep a newer one"


@dataclass(frozen=True, slots=True)
class Broken:
    """The first thing that is wrong."""

    fault: Fault
    number: int

    def __str__(self) -> str:
        return self.fault.value.format(number=self.number)


@dataclass(frozen=True, slots=True)
class Intact:
    """Every sealed row is as it was sealed. Those that wait for the sealer prove nothing yet."""

    rows: int
    first_at: datetime | None
    last_at: datetime | None
    head: Head | None
    unsealed: int
    unsealed_since: datetime | None


class Verification:
    """Read the chain from its beginning to its end; nothing is written."""

    def __init__(self, database: Database, *, seals: AuditSeals, progress: Progress = lambda _: None) -> None:
        self._database = database
        self._seals = seals
        self._progress = progress

    async def verify(self, kept: Head | None = None) -> Intact | Broken:
        """Verify all that is sealed by now, and that the head which somebody kept is in it."""
        async with self._database.read() as connection:
            while True:
                try:
                    beginning = await self._beginning(connection)
                except ValueError:
                    return Broken(Fault.CHECKPOINT_UNREADABLE, 0)
                found = await self._verify(connection, beginning, kept)
                # What expired while we read was removed by the gateway, and is no fault.
                if isinstance(found, Intact) or beginning == await self._beginning(connection):
                    return found

    async def _verify(self, connection: AsyncConnection, beginning: Head, kept: Head | None) -> Intact | Broken:
        newest = await find_newest_number(connection)
        # Read after the newest row: no checkpoint of what is verified is then missing, and each has its row by now.
        checkpoints = await list_checkpoints(connection)
        forged = next((one for one in checkpoints if self._seals.place_of(one) is None), None)
        if forged is not None:
            return Broken(Fault.CHECKPOINT_FORGED, forged.number)
        seals_by_number = {one.number: one.seal for one in checkpoints}
        end = max(newest if isinstance(newest, int) else 0, *seals_by_number, 0)
        walk = _Walk(self._seals, beginning, seals_by_number, kept)
        while batch := await _read(connection, after=walk.head.number, up_to=end):
            if isinstance(batch, Broken):
                return batch
            for event in batch:
                broken = walk.take(event)
                if broken is not None:
                    return await self._named(connection, broken, event)
            self._progress(walk.rows)
        broken = walk.finish()
        if broken is not None:
            return broken
        unsealed, since = await count_unsealed(connection)
        return Intact(walk.rows, walk.first_at, walk.last_at, walk.head if walk.head.number else None, unsealed, since)

    async def _beginning(self, connection: AsyncConnection) -> Head:
        """Give what the first row is chained to: nothing, or the checkpoint up to which the gateway removed rows."""
        begun = [one for one in await list_checkpoints(connection) if self._seals.place_of(one) is Place.BEGINNING]
        return Head(begun[-1].number, begun[-1].seal) if begun else Head(0, NO_SEAL)

    async def _named(self, connection: AsyncConnection, broken: Broken, event: StoredEvent) -> Broken:
        """Tell a row that was altered in its place, to whose old seal the next one is chained, from a foreign one."""
        if broken.fault is not Fault.MISPLACED:
            return broken
        following = await _read(connection, after=broken.number, up_to=broken.number + 1)
        fits = (
            isinstance(following, list)
            and following
            and _fits(self._seals, following[0], Head.of(broken.number, event.seal))
        )
        return Broken(Fault.ALTERED, broken.number) if fits else broken


@dataclass(slots=True)
class _Walk:
    """Where the reading is. `head` is the last row that was found to be good."""

    seals: AuditSeals
    beginning: Head
    checkpoints: Mapping[int, bytes]
    kept: Head | None
    rows: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    head: Head = field(init=False)
    checkpoint: int = field(init=False)

    def __post_init__(self) -> None:
        self.head = self.beginning
        self.checkpoint = self.beginning.number

    def take(self, event: StoredEvent) -> Broken | None:
        """Go on to the next row, if it is the one that was sealed after the last."""
        number = self.head.number + 1
        if event.number != number:
            return Broken(Fault.REMOVED if self.rows else Fault.BEGINNING_REMOVED, number)
        if not _fits(self.seals, event, self.head):
            return Broken(Fault.MISPLACED, number)
        self.head = Head.of(number, event.seal)
        self.rows += 1
        self.first_at, self.last_at = self.first_at or event.at, event.at
        return self._compare_with_checkpoint() or self._compare_with_kept()

    def finish(self) -> Broken | None:
        """Say what is missing after the last row."""
        last = self.head.number
        if max(self.checkpoints, default=0) > last:
            return Broken(Fault.TAIL_CUT, last + 1)
        if self.rows and not self.checkpoints:
            # The first one is made together with the first seals.
            return Broken(Fault.CHECKPOINT_MISSING, last)
        if self.kept is None:
            return None
        if self.kept.number > last:
            return Broken(Fault.TAIL_CUT, last + 1)
        if self.kept.number == self.beginning.number:
            return self._compare(self.beginning, self.kept, Fault.OTHER_HEAD)
        return Broken(Fault.HEAD_EXPIRED, self.kept.number) if self.kept.number < self.beginning.number else None

    def _compare_with_checkpoint(self) -> Broken | None:
        number = self.head.number
        if number in self.checkpoints:
            self.checkpoint = number
            known = Head(number, self.checkpoints[number])
            return self._compare(self.head, known, Fault.CHECKPOINT_CONTRADICTED)
        return Broken(Fault.CHECKPOINT_MISSING, number) if number - self.checkpoint >= SEGMENT else None

    def _compare_with_kept(self) -> Broken | None:
        if self.kept is None or self.kept.number != self.head.number:
            return None
        return self._compare(self.head, self.kept, Fault.OTHER_HEAD)

    @staticmethod
    def _compare(found: Head, known: Head, fault: Fault) -> Broken | None:
        return None if hmac.compare_digest(found.seal, known.seal) else Broken(fault, found.number)


def _fits(seals: AuditSeals, event: StoredEvent, previous: Head) -> bool:
    expected = seals.seal_of(event, number=previous.number + 1, previous=previous.seal)
    # SQLite keeps whatever type somebody writes.
    return isinstance(event.seal, bytes) and hmac.compare_digest(expected, event.seal)


async def _read(connection: AsyncConnection, *, after: int, up_to: int) -> list[StoredEvent] | Broken:
    """Read the next rows; where one holds what cannot be read, those before it come one by one."""
    for limit in (_BATCH, 1):
        try:
            return await read_sealed(connection, after=after, up_to=up_to, limit=limit)
        except ValueError:
            continue
    return Broken(Fault.UNREADABLE, after + 1)
