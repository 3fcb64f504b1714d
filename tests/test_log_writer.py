"""Nobody waits for whoever reads the log."""

from __future__ import annotations

import io
import os
import threading

from gateway import log_writer
from gateway.log_writer import LogWriter, ThreadlessWriter


def test_lines_arrive_in_order() -> None:
    stream = io.StringIO()
    writer = LogWriter(stream)
    for number in range(100):
        writer.write(f"{number}\n")
    writer.close()
    assert stream.getvalue().split() == [str(number) for number in range(100)]


def test_writing_returns_while_the_reader_is_stuck() -> None:
    """More than a pipe holds: without the thread this test would never end."""
    reading, writing = os.pipe()
    with open(writing, "w") as stream:  # noqa: PTH123 - a pipe has no path
        writer = LogWriter(stream)
        for _ in range(2000):
            writer.write("x" * 100 + "\n")
        drained = threading.Thread(target=_drain, args=(reading,))
        drained.start()
        writer.close()
    drained.join()


def _drain(reading: int) -> None:
    with open(reading, "rb") as stream:
        while stream.read(65536):
            pass


def test_closed_reader_raises_nothing() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    writer = LogWriter(os.fdopen(writing, "w", buffering=1))
    for _ in range(10):
        writer.write("nobody hears this\n")
    writer.close()


def test_writing_without_a_thread_returns_as_well_and_drops_what_nobody_reads() -> None:
    """More than a pipe holds: a writer that waited would never end."""
    reading, writing = os.pipe()
    with open(writing, "w") as stream:  # noqa: PTH123 - a pipe has no path
        writer = ThreadlessWriter(stream)
        for _ in range(2000):
            writer.write("x" * 99 + "\n")
    with open(reading, "rb") as stream_read:  # noqa: PTH123 - as above
        lines = stream_read.read().splitlines()
    assert 0 < len(lines) < 2000
    assert set(lines) == {b"x" * 99}


def test_what_is_too_much_is_dropped_and_counted() -> None:
    stream = _Gate()
    writer = LogWriter(stream)
    for _ in range(log_writer._MAX_LINES + 50):  # noqa: SLF001 - the bound is the subject
        writer.write("x\n")
    stream.opened.set()
    writer.close()
    assert "log_lines_dropped" in stream.getvalue()


class _Gate(io.StringIO):
    """Takes nothing until it is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.opened = threading.Event()

    def write(self, text: str) -> int:
        self.opened.wait()
        return super().write(text)
