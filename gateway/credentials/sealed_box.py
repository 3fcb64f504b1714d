"""What has to be read again, and by nobody else: AES-256-GCM under a key that is not in the database."""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

# NIST SP 800-38D section 8.2.2: random nonces of 96 bits, good for 2^32 messages under one key.
_NONCE_BYTES = 12


class BrokenSeal(Exception):
    """Sealed under another key or for another place, or altered since."""


class SealedBox:
    """Seal bytes for one place (`place`: table, row): moved to another row they cannot be opened."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, content: bytes, *, place: str) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, content, place.encode())

    def open(self, sealed: bytes, *, place: str) -> bytes:
        """Open what was sealed for this place. Raises `BrokenSeal`."""
        nonce, ciphertext = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, ciphertext, place.encode())
        except (InvalidTag, ValueError) as error:
            raise BrokenSeal from error
