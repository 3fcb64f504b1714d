"""The slots that workers fill, one for each socket."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from socket import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.workers.configuration import Generation

# Whoever lived that long did not die of how it was started.
_LIVED_WELL = timedelta(seconds=10)
_FIRST_PAUSE = timedelta(milliseconds=100)
_LONGEST_PAUSE = timedelta(seconds=5)


@dataclass(eq=False, slots=True)
class Worker:
    """One process. `deadline`: when it is killed unless it has done what it is about to do.

    `leaving`: it was told to end, or does so by itself. `silent`: it has said so, and accepts nobody any more.
    """

    pid: int
    slot: Slot
    generation: Generation
    control: socket
    deadline: float
    began: float = field(default_factory=time.monotonic)
    leaving: bool = False
    silent: bool = False

    @property
    def number(self) -> int:
        """As people count."""
        return self.slot.number + 1

    def order(self, order: str, slot: Slot) -> None:
        """Tell it; one that is just dying hears nothing, and is noticed by its death."""
        with suppress(OSError):
            self.control.send(f"{order} {slot.number}\n".encode())

    def signal(self, number: signal.Signals) -> None:
        # It was not waited for yet, so the id is still its own.
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)


@dataclass(eq=False, slots=True)
class Slot:
    """A socket, and who serves it.

    `serving` answers; `starting` is to take its place; `adopter` is another slot's worker that serves meanwhile.
    """

    number: int
    sockets: Sequence[socket]
    serving: Worker | None = None
    starting: Worker | None = None
    adopter: Worker | None = None
    next_start: float = 0.0
    _deaths: int = 0

    def lose(self, worker: Worker) -> None:
        """Be without it, and pause before the next start: not at first, but longer each time that one dies soon."""
        if self.serving is worker:
            self.serving = None
        if self.starting is worker:
            self.starting = None
        if time.monotonic() - worker.began > _LIVED_WELL.total_seconds():
            self._deaths = 0
        self.pause()

    def pause(self) -> None:
        """Let some time go by before the next start."""
        pause = min(_FIRST_PAUSE * 2 ** (self._deaths - 1), _LONGEST_PAUSE) if self._deaths else timedelta(0)
        self._deaths = min(self._deaths + 1, 10)
        self.next_start = time.monotonic() + pause.total_seconds()
