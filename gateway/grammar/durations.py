"""Durations as people write them: `12h`, `1h30m`, a bare number; and LibreChat's `1000 * 60 * 15`."""

from __future__ import annotations

import math
import re
from datetime import timedelta

_UNITS = {
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
_DURATION = re.compile(
    r"(?:(?P<d>[0-9]+)d)?(?:(?P<h>[0-9]+)h)?(?:(?P<m>[0-9]+)m)?(?:(?P<s>[0-9]+)s)?(?:(?P<ms>[0-9]+)ms)?", re.ASCII
)
_PRODUCT = re.compile(r"[0-9]+(?:\s*\*\s*[0-9]+)*", re.ASCII)

# Ten years: longer is a mistake, and a sum with a date must stay a date.
_MAX_DURATION = timedelta(days=3660)
_MAX_TEXT = 64

SECOND = timedelta(seconds=1)


def parse_duration(written: str | int, *, unit: timedelta = SECOND) -> timedelta:
    """Read a duration; a bare number counts `unit`s. Raise ValueError for anything else, negative ones included."""
    if isinstance(written, bool) or not isinstance(written, str | int):
        raise _not_a_duration()
    text = str(written).strip()
    if len(text) > _MAX_TEXT:
        raise _not_a_duration()
    try:
        duration = parse_product(text) * unit if _PRODUCT.fullmatch(text) else _sum_of_units(text)
    except OverflowError:
        duration = timedelta.max
    if duration > _MAX_DURATION:
        message = "longer than ten years"
        raise ValueError(message)
    return duration


def parse_product(text: str) -> int:
    """Multiply the whole numbers of a text such as `1000 * 60 * 15`."""
    stripped = text.strip()
    if len(stripped) > _MAX_TEXT or not _PRODUCT.fullmatch(stripped):
        message = "not a whole number, nor a product of whole numbers such as 1000 * 60 * 15"
        raise ValueError(message)
    return math.prod(int(factor) for factor in stripped.split("*"))


def format_duration(duration: timedelta) -> str:
    """Write a duration so that `parse_duration` reads it again."""
    rest = duration
    written = ""
    for name, unit in _UNITS.items():
        count, rest = divmod(rest, unit)
        written += f"{count}{name}" if count else ""
    return written or "0s"


def _sum_of_units(text: str) -> timedelta:
    match = _DURATION.fullmatch(text.lower())
    if not text or match is None:
        raise _not_a_duration()
    return sum((int(count) * _UNITS[name] for name, count in match.groupdict("0").items()), timedelta(0))


def _not_a_duration() -> ValueError:
    return ValueError("not a duration: write a number with its unit (d, h, m, s), such as 12h or 1h30m")
