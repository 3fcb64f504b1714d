"""Opaque random tokens: made by a CSPRNG, stored as a keyed digest only."""

from __future__ import annotations

import hmac
import secrets

# 256 bits (ASVS 7.2.3 asks for 128).
_TOKEN_BYTES = 32


def make_token() -> str:
    return secrets.token_urlsafe(_TOKEN_BYTES)


def digest_token(token: str, *, key: bytes) -> bytes:
    """HMAC-SHA-256 of the token: a stolen database holds nothing that could be presented."""
    return hmac.digest(key, token.encode("utf-8", "surrogateescape"), "sha256")
