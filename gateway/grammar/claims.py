"""What a host or a path says about the visitor: `{user}` in a domain, a named group `User` in a pattern."""

from __future__ import annotations

from dataclasses import dataclass

import idna


@dataclass(frozen=True, slots=True)
class Claim:
    """Names that have to be the visitor's own; `None` where nothing is said."""

    user: str | None = None
    group: str | None = None


NO_CLAIM = Claim()


def label_as_written(label: str) -> str:
    """Give a host's label as people write the name in it: hosts are compared as A-labels, names are not."""
    if label.startswith("xn--"):
        try:
            return idna.decode(label)
        except UnicodeError:
            return label
    return label
