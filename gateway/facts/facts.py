"""Facts: what was found out about a verified credential. Never a decision."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from gateway.models import Principal

# Concerns everything: what is appended when a change reaches further than one account.
EVERYTHING = "*"
_RUNG = re.compile(r"\*|(?:account|session|api_key|address):[!-~]{1,100}", re.ASCII)


def account_subject(account_id: str) -> str:
    return f"account:{account_id}"


def session_subject(session_id: str) -> str:
    return f"session:{session_id}"


def api_key_subject(api_key_id: str) -> str:
    return f"api_key:{api_key_id}"


def password_subject(email: str) -> str:
    """Name what was found out by a password; never in the log, for a wrong guess concerns this process alone."""
    return f"password:{email}"


def password_from_subject(email: str, address: str) -> str:
    """Name what was found out by a password from one address; never in the log either."""
    return f"password:{email} {address}"


def address_subject(address: str) -> str:
    """Name what was found out by passwords from a throttled address: it ends when the address is banned."""
    return f"address:{address}"


def could_be_rung(payload: str) -> bool:
    """Say whether this is a subject that one process tells another."""
    return _RUNG.fullmatch(payload) is not None


@dataclass(slots=True)
class Facts:
    """One credential's facts. Moments are seconds since the epoch; `idle_expires_at` slides with use.

    `subjects` are the entries of the invalidation log that end these facts; by themselves they need not end at all.
    """

    principal: Principal
    subjects: tuple[str, ...]
    expires_at: float = math.inf
    idle_expires_at: float = math.inf
    idle_timeout: float = math.inf
    loaded_at: float = 0.0

    def expired(self, now: float) -> bool:
        return self.expires_at <= now or self.idle_expires_at <= now

    def used(self, now: float) -> None:
        """Slide the idle expiry; the absolute one never moves (ASVS 7.3.2)."""
        self.idle_expires_at = now + self.idle_timeout
