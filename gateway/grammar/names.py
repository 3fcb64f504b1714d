"""A person's display name: it travels in identity headers, so nothing that could end or split one is taken."""

from __future__ import annotations

import unicodedata

_MAX_LENGTH = 80


def parse_name(text: str) -> str:
    """Give the trimmed name, or raise ValueError with the broken rule."""
    name = text.strip()
    if not 0 < len(name) <= _MAX_LENGTH:
        message = f"A name has between 1 and {_MAX_LENGTH} characters."
        raise ValueError(message)
    # Cc: CR, LF, NUL and the other controls; Cs: halves of characters; Zl, Zp: line ends by another name.
    if any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in name):
        message = "A name cannot hold line ends or other control characters."
        raise ValueError(message)
    return name
