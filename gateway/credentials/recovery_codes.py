"""Recovery codes: a set that stands in for a lost second factor, each good for one login."""

from __future__ import annotations

import secrets

CODE_DIGITS = 8
# Ten codes of 26 bits (ASVS 6.5.4 asks for 20), hashed slowly since that is below 112 (ASVS 6.5.2).
_COUNT = 10
_SALT_BYTES = 16


def make_recovery_codes() -> tuple[str, ...]:
    """Make a set of different codes: of two equal ones only one could be spent."""
    codes: set[str] = set()
    while len(codes) < _COUNT:
        codes.add(f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}")
    # A set's order is that of its hashes; shuffled, it tells nothing about how it was filled.
    shuffled = list(codes)
    secrets.SystemRandom().shuffle(shuffled)
    return tuple(shuffled)


def make_recovery_salt() -> bytes:
    """Make the salt of a set. It is one for all of them, so that a try costs one slow hash and not ten."""
    return secrets.token_bytes(_SALT_BYTES)
