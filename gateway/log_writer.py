"""Writing log lines without ever waiting for whoever reads them."""

from __future__ import annotations

import atexit
import os
import queue
import select
import threading
from contextlib import suppress
from datetime import timedelta
from typing import TextIO

# A stuck reader costs memory up to this many lines; what comes after is dropped and counted.
_MAX_LINES = 10_000
_FAREWELL = timedelta(seconds=2)


class LogWriter:
    """A text stream that takes whole lines and hands them to a thread. It never blocks, and never raises."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lines: queue.Queue[str | None] = queue.Queue(_MAX_LINES)
        self._dropped = 0
        self._thread = threading.Thread(target=self._run, name="log writer", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def write(self, text: str) -> int:
        try:
            self._lines.put_nowait(text)
        except queue.Full:
            self._dropped += 1
        return len(text)

    def flush(self) -> None:
        """Do nothing: the thread flushes after each line, and nobody waits for it."""

    def close(self) -> None:
        """Write what is left, for as long as somebody reads it within the farewell."""
        with suppress(queue.Full):
            self._lines.put_nowait(None)
        self._thread.join(_FAREWELL.total_seconds())

    def _run(self) -> None:
        while (text := self._lines.get()) is not None:
            # A closed reader (`| head`) is no reason to stop serving, nor is a full disk.
            with suppress(OSError, ValueError):
                self._stream.write(text)
                self._report_dropped()
                self._stream.flush()

    def _report_dropped(self) -> None:
        dropped, self._dropped = self._dropped, 0
        if dropped:
            self._stream.write(f'{{"event": "log_lines_dropped", "count": {dropped}}}\n')


class ThreadlessWriter:
    """A text stream for a process that forks, and may have no thread. What nobody reads is dropped."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            descriptor = self._stream.fileno()
            _, writable, _ = select.select([], [descriptor], [], 0)
            if writable:
                os.write(descriptor, text.encode(errors="backslashreplace"))
        return len(text)

    def flush(self) -> None:
        """Do nothing: nothing is kept back."""
