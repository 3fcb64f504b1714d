"""Refresh tokens: derived, so that one generation always has the same token, and none of them is stored."""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from dataclasses import dataclass, field
from uuid import UUID

# 256 bits, as the key and the digest have.
_NONCE_BYTES = 32
_SESSION_BYTES = 16
_GENERATION_BYTES = 6
# 54 bytes are 72 characters without padding or spare bits: each token has one spelling.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{72}", re.ASCII)


@dataclass(frozen=True, slots=True)
class PresentedRefreshToken:
    """What a token says about itself, not yet believed."""

    session_id: str
    generation: int
    mac: bytes = field(repr=False)


def make_nonce() -> bytes:
    """Make what tells a session's families apart: tokens of a former one are worth nothing."""
    return secrets.token_bytes(_NONCE_BYTES)


def derive_refresh_token(*, key: bytes, session_id: str, generation: int, nonce: bytes) -> str:
    """Give the one token of a generation: a repeated answer repeats it instead of making a second one."""
    named = _named(session_id, generation)
    return base64.urlsafe_b64encode(named + _mac(key, named, nonce)).decode()


def parse_refresh_token(token: str) -> PresentedRefreshToken | None:
    """Read a token; `None` when it cannot be one of ours."""
    if not _TOKEN.fullmatch(token):
        return None
    raw = base64.urlsafe_b64decode(token)
    session, generation = raw[:_SESSION_BYTES], raw[_SESSION_BYTES : _SESSION_BYTES + _GENERATION_BYTES]
    mac = raw[_SESSION_BYTES + _GENERATION_BYTES :]
    return PresentedRefreshToken(str(UUID(bytes=session)), int.from_bytes(generation, "big"), mac)


def verify_refresh_token(presented: PresentedRefreshToken, *, key: bytes, nonce: bytes) -> bool:
    """Say whether we derived this token, for whichever generation it names."""
    expected = _mac(key, _named(presented.session_id, presented.generation), nonce)
    return hmac.compare_digest(expected, presented.mac)


def _named(session_id: str, generation: int) -> bytes:
    # Both of fixed length: no other session and generation spell the same bytes.
    return UUID(session_id).bytes + generation.to_bytes(_GENERATION_BYTES, "big")


def _mac(key: bytes, named: bytes, nonce: bytes) -> bytes:
    return hmac.digest(key, named + nonce, "sha256")
