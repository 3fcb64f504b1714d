"""Time-based one-time codes (RFC 6238): SHA-1, 30 seconds, 6 digits, as every authenticator app takes them."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pyotp import TOTP
from pyotp.exceptions import OTPVerificationError

if TYPE_CHECKING:
    from gateway.credentials.sealed_box import SealedBox

# RFC 4226 section 4 asks for 128 bits and recommends the length of SHA-1's output.
_SECRET_BYTES = 20
CODE_DIGITS = 6
_STEP = timedelta(seconds=30)
# RFC 6238 section 5.2: one step back for the time that typing takes. A code of a later step is nobody's by right.
_STEPS_BACK = 1


def make_totp_secret() -> bytes:
    return secrets.token_bytes(_SECRET_BYTES)


def matching_step(secret: bytes, code: str, *, now: datetime) -> int | None:
    """Give the time step whose code this is, the current one or the one before; spending it is the caller's."""
    totp = TOTP(secret_as_text(secret))
    found = None
    for back in range(_STEPS_BACK + 1):
        try:
            step = totp.verify_and_get_timecode(code, for_time=now - back * _STEP)
        except OTPVerificationError:
            continue
        # All of them are tried: the time taken does not tell which one it was.
        found = step if found is None else found
    return found


def secret_as_text(secret: bytes) -> str:
    """Give the secret as people type it into their app."""
    return base64.b32encode(secret).decode()


def otpauth_url(secret: bytes, *, issuer: str, label: str) -> str:
    """Give the address that the QR code holds; the app shows issuer and label."""
    return TOTP(secret_as_text(secret)).provisioning_uri(name=label, issuer_name=issuer)


@dataclass(frozen=True, slots=True)
class TotpSecrets:
    """Seal secrets for the database, each for its row. Opening raises `BrokenSeal`.

    A pending one is sealed for the session that began the enrolment as well: whoever stole another session of the
    account cannot have its owner scan a secret that the thief knows.
    """

    box: SealedBox

    def seal(self, secret: bytes, *, account_id: str) -> bytes:
        return self.box.seal(secret, place=f"second_factors {account_id}")

    def open(self, sealed: bytes, *, account_id: str) -> bytes:
        return self.box.open(sealed, place=f"second_factors {account_id}")

    def seal_pending(self, secret: bytes, *, account_id: str, beginner: str) -> bytes:
        return self.box.seal(secret, place=f"pending_second_factors {account_id} {beginner}")

    def open_pending(self, sealed: bytes, *, account_id: str, beginner: str) -> bytes:
        return self.box.open(sealed, place=f"pending_second_factors {account_id} {beginner}")
