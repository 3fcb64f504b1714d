"""The end of each answer that lets pass: what is alike in all, the date, and the id of the decision."""

from __future__ import annotations

import asyncio
import time
from email.utils import formatdate
from typing import TYPE_CHECKING

from gateway.forward_auth.wire import ALIKE_IN_ALL

if TYPE_CHECKING:
    from gateway.forward_auth.decision_ids import DecisionIds


class Stamp:
    """Made once a second, so that an answer only adds its number (RFC 9110 section 6.6.1)."""

    def __init__(self, decisions: DecisionIds) -> None:
        self._prefix = decisions.prefix
        self._numbers = decisions.numbers
        self.renew()

    def renew(self) -> None:
        self.date = formatdate(usegmt=True).encode()
        # What it is called as an answer, as every answer is, and as a decision: the same number completes both.
        prefix = self._prefix.encode()
        ids = b"X-Decision-Id: %b%%x\r\nX-Request-Id: %b%%x\r\n\r\n" % (prefix, prefix)
        self._unfinished = b"%bDate: %b\r\n%b" % (ALIKE_IN_ALL, self.date, ids)

    def complete(self, passing: bytes) -> bytes:
        """Give the whole answer to a check that may pass."""
        number = next(self._numbers)
        return passing + self._unfinished % (number, number)

    async def run(self) -> None:
        """Renew at the beginning of each second, until cancelled."""
        while True:
            await asyncio.sleep(1 - time.time() % 1)
            self.renew()
