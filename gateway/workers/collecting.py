"""When garbage in cycles is looked for: each look stops the process, for as long as there are objects to look at."""

from __future__ import annotations

import gc

# Each fact that is loaded anew for a dropped one is young and counts as none: with Python's 700 and 10 (and its freed
# cycles, which do count) 5,000 and 50,000 facts come together and take 5 and 50 ms. A look at everything takes 100 ms
# and more; it is done when 420,000 objects have been added (one look more than each number here), which is more than a
# cache at its default ceiling has. What a connection leaves in cycles (7 objects, 2 kB) waits for it if it lasted long.
_YOUNG_OBJECTS, _YOUNG_LOOKS, _MIDDLE_LOOKS = 300, 5, 200


def freeze_what_is_there() -> None:
    """Keep the collector away from all objects of now: a page that is shared with a child becomes a copy by a look."""
    gc.collect()
    gc.freeze()


def collect_briefly() -> None:
    """Look neither at what is there for good (call it when a worker's parts are made) nor at too much at a time."""
    freeze_what_is_there()
    gc.set_threshold(_YOUNG_OBJECTS, _YOUNG_LOOKS, _MIDDLE_LOOKS)
