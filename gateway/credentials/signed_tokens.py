"""Our JWTs: HS256 under one key for each purpose, in exactly one form (RFC 8725, RFC 7515)."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import jwt

from gateway.errors import InvalidToken, TokenExpired

_ALGORITHM = "HS256"
_SEGMENTS = 3
_MOMENTS = ("iat", "exp")


@dataclass(frozen=True, slots=True)
class SignedTokens:
    """Sign and verify tokens of one type. Issuer and audience are the gateway's public URL.

    `strings` are the claims that each of them has, beside `iat` and `exp`.
    """

    key: bytes = field(repr=False)
    issuer: str
    token_type: str
    strings: tuple[str, ...]

    def sign(self, claims: Mapping[str, Any], *, issued_at: datetime, expires_at: datetime) -> str:
        said = {
            **claims,
            "iss": self.issuer,
            "aud": self.issuer,
            "iat": int(issued_at.timestamp()),
            "exp": int(expires_at.timestamp()),
        }
        return jwt.encode(said, self.key, algorithm=_ALGORITHM, headers={"typ": self.token_type})

    def are_issuer_of(self, token: str) -> bool:
        """Say whether a token names us as its issuer, without believing a word of it."""
        segments = token.split(".")
        if len(segments) != _SEGMENTS:
            return False
        payload = _read_segment(segments[1], strict=False)
        return payload is not None and payload.get("iss") == self.issuer

    def verify(self, token: str, *, now: datetime) -> Mapping[str, Any]:
        """Verify signature, form and claims, and give these. Raises `InvalidToken` or `TokenExpired`."""
        segments = token.split(".")
        # The header must be exactly ours: no other algorithm or type, no `crit`, `b64`, `zip`, `jwk`, `x5u`.
        header = {"alg": _ALGORITHM, "typ": self.token_type}
        if len(segments) != _SEGMENTS or _read_segment(segments[0], strict=True) != header:
            raise InvalidToken
        claims = _read_segment(segments[1], strict=True)
        if claims is None or _decode(segments[2]) is None:
            raise InvalidToken
        try:
            jwt.decode(
                token,
                self.key,
                algorithms=[_ALGORITHM],
                audience=self.issuer,
                issuer=self.issuer,
                options={"require": ["iss", "aud", *self.strings, *_MOMENTS], "verify_exp": False, "verify_iat": False},
            )
        except jwt.InvalidTokenError as error:
            raise InvalidToken from error
        self._require_forms(claims)
        if claims["exp"] <= now.timestamp():
            raise TokenExpired
        return claims

    def _require_forms(self, claims: Mapping[str, Any]) -> None:
        strings = (claims[name] for name in ("iss", "aud", *self.strings))
        moments = (claims[name] for name in _MOMENTS)
        if not all(isinstance(text, str) for text in strings) or any(type(moment) is not int for moment in moments):
            raise InvalidToken


def _read_segment(segment: str, *, strict: bool) -> dict[str, Any] | None:
    """Read one JSON segment; strictly: canonical base64url and no name twice (RFC 7515 section 5.2)."""
    raw = _decode(segment) if strict else _decode_leniently(segment)
    if raw is None:
        return None
    try:
        value = json.loads(raw, object_pairs_hook=_unique_names if strict else None)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) != len(pairs):
        message = "a name stands twice"
        raise ValueError(message)
    return names


def _decode(segment: str) -> bytes | None:
    """Decode base64url only in its one canonical spelling: two spellings of one token would be two tokens."""
    raw = _decode_leniently(segment)
    return raw if raw is not None and base64.urlsafe_b64encode(raw).rstrip(b"=").decode() == segment else None


def _decode_leniently(segment: str) -> bytes | None:
    try:
        return base64.urlsafe_b64decode(segment.rstrip("=") + "=" * (-len(segment.rstrip("=")) % 4))
    except (binascii.Error, ValueError):
        return None
