"""Is this visitor sent back and forth?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

_ARRIVALS = 3
_WITHIN = timedelta(seconds=10)


def note_arrival(arrivals: Sequence[float], now: float) -> tuple[list[float], bool]:
    """Add an arrival of somebody already logged in, for one return URL; say whether it is a loop.

    An application that does not see our cookie sends the browser back at once, each time. The moments are kept in
    the visitor's own page state: the third within ten seconds gets a page that explains instead of a redirect.
    """
    recent = [moment for moment in arrivals if 0 <= now - moment < _WITHIN.total_seconds()]
    recent.append(now)
    return recent[-_ARRIVALS:], len(recent) >= _ARRIVALS
