"""The passwords that are tried first."""

from __future__ import annotations

from functools import cache


@cache
def common_passwords() -> frozenset[str]:
    """Give zxcvbn's list of 30,000, in lower case; 11,611 of them have 8 characters or more."""
    # Half a megabyte of lists, needed only where somebody chooses a password or configures a secret.
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # noqa: PLC0415

    return frozenset(FREQUENCY_LISTS["passwords"])
