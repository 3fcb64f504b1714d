"""The app on somebody's phone that shows six digits, and a clock that need not be waited for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pyotp
import time_machine

# Each time step's code is good once: whoever needs another one waits for the next step.
_STEP = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Authenticator:
    """Knows one secret, as read from the QR code or typed in."""

    secret: str
    clock: time_machine.Traveller

    def code(self) -> str:
        return pyotp.TOTP(self.secret).now()

    def next_code(self) -> str:
        """Wait for the next time step."""
        self.clock.shift(_STEP)
        return self.code()
