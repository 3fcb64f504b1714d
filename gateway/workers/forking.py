"""Child processes: the same program, with other work."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import NoReturn, Protocol

# What the supervisor hears. A terminal sends the second and third to every process; the supervisor decides for all.
OF_THE_SUPERVISOR = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


class Closeable(Protocol):
    """What a child has no use for."""

    def close(self) -> None: ...


def fork(work: Callable[[], None], *, closing: Iterable[Closeable]) -> int:
    """Do the work in a child without what it would inherit in `closing`; gives the child's process id.

    The child ends with exit code 0, or 1 when the work raised something. There may be one thread only.
    """
    for stream in (sys.stdout, sys.stderr):
        # What waits in a buffer would be written by both.
        with suppress(OSError, ValueError):
            stream.flush()
    # Until the child has put its own handlers in place, it would write the supervisor's signals.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, OF_THE_SUPERVISOR)
    try:
        pid = os.fork()
        if pid == 0:
            _be_the_child(work, closing)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return pid


def _be_the_child(work: Callable[[], None], closing: Iterable[Closeable]) -> NoReturn:
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, OF_THE_SUPERVISOR)
        for one in closing:
            one.close()
        work()
        code = 0
    except BaseException:  # noqa: BLE001 - nothing may climb into the supervisor's part of the stack
        with suppress(OSError):
            traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        # Not the functions of `atexit`: they are the supervisor's.
        os._exit(code)
