"""Contact with the invalidation log: when it was last read, since when it cannot be, and for how long that is borne."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog

_log = structlog.get_logger("gateway.facts")


class Contact:
    """What is known about the log's readings; says once in the log when an outage begins, outlasts its grace, ends."""

    def __init__(self, *, grace: timedelta, doorbell_connected: Callable[[], bool]) -> None:
        self.grace = grace
        self.silent = False
        # When the outage was noticed, for people.
        self.lost_since: datetime | None = None
        # On the monotonic clock: the beginning of the last reading that was completed.
        self.completed_at = float("-inf")
        self._doorbell_connected = doorbell_connected
        self._failed_at = float("-inf")
        self._end_is_noted = False

    @property
    def age(self) -> float:
        """Seconds since the beginning of the last completed reading."""
        return time.monotonic() - self.completed_at

    @property
    def since_failure(self) -> float:
        return time.monotonic() - self._failed_at

    @property
    def lost(self) -> bool:
        """Whether the last reading failed."""
        return self.lost_since is not None

    @property
    def ever_made(self) -> bool:
        return self.completed_at > float("-inf")

    @property
    def grace_over(self) -> bool:
        """Whether nothing counts any more; before the first reading nothing does either."""
        return self.age > self.grace.total_seconds()

    def made(self, began_at: float) -> None:
        """Note a reading that was completed."""
        if self.lost:
            _log.warning("invalidation_log_readable_again")
        self.lost_since, self._end_is_noted = None, False
        self.completed_at = began_at
        # One that began before the failure and ended after it: the failure was of another reading's connection.
        self._failed_at = float("-inf")

    def failed(self, reason: str, *, silent: bool) -> None:
        if not self.lost:
            self.lost_since = datetime.now(UTC)
            _log.warning(
                "invalidation_log_unreadable",
                error=reason,
                grace_seconds=self.grace.total_seconds(),
                doorbell_connected=self._doorbell_connected(),
            )
        self._failed_at, self.silent = time.monotonic(), silent

    def note_end_of_grace(self) -> None:
        """Say once that from now on everything is answered 503."""
        if self.lost and self.grace_over and not self._end_is_noted:
            self._end_is_noted = True
            _log.error("outage_grace_over", doorbell_connected=self._doorbell_connected())
