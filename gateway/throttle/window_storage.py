"""Where a process keeps the windows of addresses: each hit costs the same, however many addresses are known."""

from __future__ import annotations

import time
from collections import defaultdict

from limits.aio.storage import MemoryStorage
from limits.aio.storage.memory import Entry

# Of each length of window. Beyond it whoever was quiet for longest is forgotten: memory is bounded, and strangers who
# fill it can free nobody who was told "too many" a moment ago without asking from as many addresses again.
_MOST_KEYS = 100_000


class WindowStorage(MemoryStorage):
    """The library's own, but for how it forgets.

    That one walks over every key, each in a thread, again and again: a few thousand addresses keep a core busy.
    Nothing is awaited here, so that nothing has to be locked.
    """

    def __init__(self) -> None:
        super().__init__()
        # By the length of their windows, least recently counted first: who has expired stands in front.
        self._windows: defaultdict[int, dict[str, list[Entry]]] = defaultdict(dict)

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count, if there is room."""
        windows, begin = self._windows[expiry], time.time() - expiry
        while windows and (windows[oldest := next(iter(windows))][0].atime < begin or len(windows) > _MOST_KEYS):
            del windows[oldest]
        entries = [entry for entry in windows.get(key, ()) if entry.atime >= begin]
        if len(entries) + amount > limit:
            return False
        windows.pop(key, None)
        windows[key] = [*[Entry(expiry)] * amount, *entries]
        return True

    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:  # noqa: ARG002 - the library's
        """Give the moment of the oldest entry that counts, and how many there are."""
        now = time.time()
        entries = [entry for entry in self._windows[expiry].get(key, ()) if entry.atime >= now - expiry]
        return (entries[-1].atime, len(entries)) if entries else (now, 0)

    async def clear(self, key: str) -> None:
        for windows in self._windows.values():
            windows.pop(key, None)

    async def close(self) -> None:
        """Let go of what is open; nothing is, in memory."""
