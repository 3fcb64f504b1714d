"""The seals of the audit log: what makes a row that was altered, removed, added or moved show."""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Self

from gateway.storage.audit_checkpoints import Checkpoint

if TYPE_CHECKING:
    from gateway.storage.audit_events import StoredEvent

# What the first row of all is chained to.
NO_SEAL = bytes(32)


class Place(Enum):
    """What a checkpoint says of its place. The value is part of its proof, so that neither passes for the other."""

    UNDER_WAY = b"checkpoint"
    # What came before it has expired and was removed by the gateway itself.
    BEGINNING = b"beginning"


@dataclass(frozen=True, slots=True)
class Head:
    """The newest sealed row. A copy of it outside the database shows whether the log's tail was cut off."""

    number: int
    seal: bytes

    @classmethod
    def of(cls, number: int, seal: object) -> Self:
        """Take what stands in the database: SQLite keeps whatever type somebody writes."""
        return cls(number, seal if isinstance(seal, bytes) else NO_SEAL)

    def __str__(self) -> str:
        return f"{self.number}:{self.seal.hex()}"


@dataclass(frozen=True, slots=True)
class AuditSeals:
    """HMAC-SHA-256 (RFC 2104) under a key that is not in the database: who can write there only, can make none."""

    key: bytes = field(repr=False)

    def seal_of(self, event: StoredEvent, *, number: int, previous: bytes) -> bytes:
        """Seal a row in its place: over everything in it, its number, and the seal before it."""
        row = [
            number,
            event.id,
            event.at.isoformat(timespec="microseconds"),
            event.kind,
            event.succeeded,
            event.actor,
            event.account_id,
            event.email,
            event.client_address,
            event.request_id,
            event.details,
        ]
        # A value of another type than the column's is no reason to stop: it fits no seal.
        return self._mac(b"event", previous + json.dumps(row, separators=(",", ":"), default=repr).encode())

    def checkpoint(self, head: Head, *, at: datetime, place: Place = Place.UNDER_WAY) -> Checkpoint:
        return Checkpoint(head.number, head.seal, self.checkpoint_mac(head, at=at, place=place), at)

    def checkpoint_mac(self, head: Head, *, at: datetime, place: Place) -> bytes:
        row = [head.number, head.seal.hex(), at.isoformat(timespec="microseconds")]
        return self._mac(place.value, json.dumps(row, separators=(",", ":")).encode())

    def place_of(self, checkpoint: Checkpoint) -> Place | None:
        """Give what a checkpoint was made as; `None`: not by us, or not as it stands there."""
        head = Head(checkpoint.number, checkpoint.seal)
        for place in Place:
            if hmac.compare_digest(checkpoint.mac, self.checkpoint_mac(head, at=checkpoint.at, place=place)):
                return place
        return None

    def _mac(self, purpose: bytes, message: bytes) -> bytes:
        # NUL stands in no purpose: what was made for one is never taken for another.
        return hmac.digest(self.key, purpose + b"\0" + message, "sha256")
