"""What a code of a second factor looks like."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from gateway.credentials import recovery_codes, totp

# People and apps group the digits; nothing else is forgiven (digits of other scripts are not what an app shows).
_GROUPING = str.maketrans("", "", " -")
_DIGITS = re.compile(r"[0-9]+", re.ASCII)
# Longer texts are no code, whatever is dropped from them.
_MAX_LENGTH = 64


class CodeKind(StrEnum):
    """What a code is, told by its length."""

    TOTP = "totp"
    RECOVERY = "recovery code"


_KINDS = {totp.CODE_DIGITS: CodeKind.TOTP, recovery_codes.CODE_DIGITS: CodeKind.RECOVERY}


@dataclass(frozen=True, slots=True)
class Code:
    """Digits that can be a code."""

    kind: CodeKind
    digits: str


def parse_code(given: object) -> Code | None:
    """Read a code: six ASCII digits are TOTP, eight a recovery code, anything else is none."""
    if not isinstance(given, str) or len(given) > _MAX_LENGTH:
        return None
    digits = given.translate(_GROUPING)
    kind = _KINDS.get(len(digits)) if _DIGITS.fullmatch(digits) else None
    return None if kind is None else Code(kind, digits)
