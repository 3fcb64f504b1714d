"""API keys: how they look, so that people, programs and secret scanners recognise one."""

from __future__ import annotations

import re
import secrets
import string
import zlib
from dataclasses import dataclass

_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
# 32 characters of 5.95 bits; what is shown of them leaves 166 bits (ASVS 11.5.1 asks for 128).
_RANDOM_LENGTH = 32
_SHOWN_LENGTH = 4
_CHECKSUM_LENGTH = 6
_BODY = re.compile(rf"[0-9A-Za-z]{{{_RANDOM_LENGTH + _CHECKSUM_LENGTH}}}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ApiKeyFormat:
    """`<prefix><random><checksum>`. A key's digest is made as a session token's is, under a key of its own."""

    prefix: str

    def make(self) -> str:
        unchecked = self.prefix + "".join(secrets.choice(_BASE62) for _ in range(_RANDOM_LENGTH))
        return unchecked + _checksum(unchecked)

    def claims(self, text: str) -> bool:
        """Say whether a text is recognisably one of our keys, good or bad: it then decides alone."""
        return text.startswith(self.prefix)

    def is_sound(self, text: str) -> bool:
        """Say whether it can be one of our keys at all: typing mistakes and inventions cost no look-up."""
        if not self.claims(text) or not _BODY.fullmatch(text, len(self.prefix)):
            return False
        return text[-_CHECKSUM_LENGTH:] == _checksum(text[:-_CHECKSUM_LENGTH])

    def shown_part(self, key: str) -> str:
        """Give the beginning by which people tell their keys apart; it may be stored and shown."""
        return key[: len(self.prefix) + _SHOWN_LENGTH]


@dataclass(frozen=True, slots=True)
class ApiKeyFormats:
    """How people's keys look, and how those of service accounts do: whoever finds one knows what it opens."""

    personal: ApiKeyFormat
    service: ApiKeyFormat

    def of(self, *, service: bool) -> ApiKeyFormat:
        return self.service if service else self.personal

    def recognise(self, text: str) -> ApiKeyFormat | None:
        """Give the format that a text claims to have, good or bad."""
        return next((one for one in (self.personal, self.service) if one.claims(text)), None)


def _checksum(text: str) -> str:
    """CRC-32 in base 62: finds mistakes, proves nothing."""
    rest = zlib.crc32(text.encode())
    digits = ""
    for _ in range(_CHECKSUM_LENGTH):
        rest, digit = divmod(rest, len(_BASE62))
        digits = _BASE62[digit] + digits
    return digits
