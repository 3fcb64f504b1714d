"""Moments as programs write them: ISO 8601, in the shapes that RFC 3339 and calendars use."""

from __future__ import annotations

import re
from datetime import UTC, datetime

# Python reads more than this: week dates, any character between date and time.
_MOMENT = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:[Tt ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d{2}:?\d{2})?)?", re.ASCII
)


def parse_moment(text: str) -> datetime:
    """Read a date, or a date with a time, as a moment in UTC; without an offset it is UTC already."""
    if not _MOMENT.fullmatch(text):
        raise _not_a_moment()
    try:
        moment = datetime.fromisoformat(text.upper())
        return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _not_a_moment() from None


def format_moment(moment: datetime) -> str:
    """Write a moment as the JSON API does."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def format_moment_or_none(moment: datetime | None) -> str | None:
    return None if moment is None else format_moment(moment)


def _not_a_moment() -> ValueError:
    return ValueError("Write a moment as ISO 8601, such as 2030-12-31T23:59:59Z.")
