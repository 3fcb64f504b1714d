"""Signals as something to wait for, beside sockets."""

from __future__ import annotations

import signal
import socket
import sys
from collections import deque
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Self

from gateway.workers.forking import OF_THE_SUPERVISOR


class Signals:
    """Those that the supervisor hears, while the block runs; each makes the socket readable."""

    def __init__(self) -> None:
        self._ours, self._pythons = socket.socketpair()
        # Not the bytes: where many signals come at once they are too many for the socket, and one might be SIGTERM.
        self._came: deque[int] = deque()
        self._on_terminal = sys.stdin is not None and sys.stdin.isatty()

    def __enter__(self) -> Self:
        for end in (self._ours, self._pythons):
            end.settimeout(0)
        signal.set_wakeup_fd(self._pythons.fileno(), warn_on_full_buffer=False)
        self._before = {number: signal.signal(number, self._note) for number in OF_THE_SUPERVISOR}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.set_wakeup_fd(-1)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self.close()

    def fileno(self) -> int:
        return self._ours.fileno()

    def read(self) -> list[int]:
        """Give those that came since; a terminal that has gone means SIGTERM, and not SIGHUP."""
        with suppress(BlockingIOError):
            self._ours.recv(4096)
        came = [self._came.popleft() for _ in range(len(self._came))]
        if self._on_terminal and not sys.stdin.isatty():
            return [signal.SIGTERM if number == signal.SIGHUP else number for number in came]
        return came

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._came.append(number)

    def close(self) -> None:
        self._ours.close()
        self._pythons.close()
