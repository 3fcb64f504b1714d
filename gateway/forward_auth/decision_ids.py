"""What an answer is called in the log."""

from __future__ import annotations

import itertools
import secrets

_PREFIX_BYTES = 5


class DecisionIds:
    """A prefix of this process, and a number that counts: unique, and made in no time."""

    def __init__(self) -> None:
        self.prefix = secrets.token_hex(_PREFIX_BYTES)
        self.numbers = itertools.count(1)

    def next(self) -> str:
        return f"{self.prefix}{next(self.numbers):x}"
