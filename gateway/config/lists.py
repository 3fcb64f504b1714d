"""Lists in rules: one text stands for a list of one, and a list of none is refused."""

from __future__ import annotations


def one_or_more(written: object) -> object:
    """Let one value stand for a list of one, and refuse a list of none: it would widen the rule to everything."""
    if isinstance(written, str):
        return (written,)
    if written is None or (isinstance(written, list | tuple) and not written):
        message = "is empty: name something, or leave the key out"
        raise ValueError(message)
    return written
