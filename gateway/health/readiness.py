"""Readiness: whether a balancer should send visitors here, and what is lost if not everything is well."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from gateway.grammar.durations import format_duration

if TYPE_CHECKING:
    from gateway.facts.contact import Contact


class Rung(Protocol):
    """What is asked of a doorbell here."""

    @property
    def connected(self) -> bool: ...

    @property
    def lost_since(self) -> datetime | None: ...


class State(enum.StrEnum):
    READY = "ready"
    # Something is away and all who are known pass: if balancers gave up on such replicas, they gave up on all at once.
    DEGRADED = "degraded"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Reason:
    """A part that is not well, since when if that is known, and what that means. No address, no secret."""

    part: str
    since: datetime | None
    effect: str


class Readiness:
    """Looks at what is known in memory.

    A process that is stopping takes no new connections, and says nothing more here: behind the same address another
    worker may be taking over.
    """

    def __init__(self, contact: Contact, doorbell: Rung | None) -> None:
        self._contact = contact
        self._doorbell = doorbell

    def judge(self) -> tuple[State, list[Reason]]:
        reasons = [*self._of_database(), *self._of_doorbell()]
        if self._contact.grace_over:
            return State.UNAVAILABLE, reasons
        return (State.DEGRADED if reasons else State.READY), reasons

    def _of_database(self) -> list[Reason]:
        contact = self._contact
        if not contact.ever_made:
            return [Reason("database", contact.lost_since, "nothing could be read yet: everything is answered 503")]
        if contact.grace_over:
            return [Reason("database", contact.lost_since, "the outage grace is over: everything is answered 503")]
        if not contact.lost:
            return []
        effect = "who is known already passes until the outage grace is over; everything else is answered 503"
        return [Reason("database", contact.lost_since, effect)]

    def _of_doorbell(self) -> list[Reason]:
        """Without contact to the database the log is not read: then everything hangs on the doorbell."""
        if self._doorbell is not None and self._doorbell.connected:
            return []
        cut_off = self._contact.ever_made and self._contact.lost and not self._contact.grace_over
        if cut_off:
            late = format_duration(self._contact.grace)
            effect = f"cut off from both: a revocation made elsewhere arrives within {late}"
        elif self._doorbell is not None:
            effect = "revocations made elsewhere are read from the database, within a second"
        else:
            return []
        since = self._contact.lost_since if self._doorbell is None else self._doorbell.lost_since
        return [Reason("doorbell", since, effect)]
