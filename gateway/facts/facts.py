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


def name_in(subject: str) -> str:
    """Give what a subject is about, without its kind: ids are of one record only, and no address is like one."""
    return subject.partition(":")[2]


def could_be_rung(payload: str) -> bool:
    """Say whether this is a subject that one process tells another."""
    return _RUNG.fullmatch(payload) is not None


@dataclass(slots=True)
class Facts:
    """One credential's facts. Moments are seconds since the epoch; with `noted_at` the idle expiry slides.

    `further` are names of subjects that end these facts beside the principal's own, as `name_in` gives them; by
    themselves facts need not end at all.
    `head` is the answer to a check that passes, as it was last rendered, and `head_for` what it was rendered for, if it
    was.
    """

    principal: Principal
    further: tuple[str, ...] = ()
    expires_at: float = math.inf
    idle_timeout: float = math.inf
    loaded_at: float = 0.0
    # Whether it was found since the cache last looked for what it could do without.
    found: bool = False
    # When its use was noted last: once a second is enough.
    noted_at: float = 0.0
    head: bytes = b""
    head_for: object = None

    @property
    def names(self) -> tuple[str, ...]:
        """Give the names of the subjects that end these facts: the principal's own strings, for their weight."""
        principal = self.principal
        credential_id = principal.session_id or principal.api_key_id
        own = (principal.account_id,) if credential_id is None else (principal.account_id, credential_id)
        return own + self.further

    def expired(self, now: float) -> bool:
        return self.expires_at <= now or now - self.noted_at >= self.idle_timeout
