"""Our access tokens: JWTs under HS256, bound to a session by `sid`."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import jwt

from gateway.errors import InvalidToken, TokenExpired

TOKEN_TYPE = "at+jwt"  # noqa: S105 - RFC 9068's name of the type, no password
_ALGORITHM = "HS256"
_REQUIRED = ("iss", "aud", "sub", "sid", "jti", "iat", "exp")
_STRINGS = ("iss", "aud", "sub", "sid", "jti")
_HEADER = {"alg": _ALGORITHM, "typ": TOKEN_TYPE}
_SEGMENTS = 3


@dataclass(frozen=True, slots=True)
class AccessTokenClaims:
    """What a good access token says; whether its session lives is asked elsewhere."""

    subject: str
    session_id: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class AccessTokens:
    """Sign and verify under one key. Issuer and audience are the gateway's public URL."""

    key: bytes = field(repr=False)
    issuer: str
    lifetime: timedelta

    def sign(self, *, subject: str, session_id: str, now: datetime, profile: Mapping[str, str]) -> str:
        claims = {
            **profile,
            "iss": self.issuer,
            "aud": self.issuer,
            "sub": subject,
            "sid": session_id,
            "jti": secrets.token_urlsafe(16),
            "iat": int(now.timestamp()),
            "exp": int((now + self.lifetime).timestamp()),
        }
        return jwt.encode(claims, self.key, algorithm=_ALGORITHM, headers={"typ": TOKEN_TYPE})

    def are_issuer_of(self, token: str) -> bool:
        """Say whether a token names us as its issuer, without believing a word of it.

        Such a token decides alone: a bad one is refused and never falls back to another credential.
        """
        segments = token.split(".")
        if len(segments) != _SEGMENTS:
            return False
        payload = _read_segment(segments[1], strict=False)
        return payload is not None and payload.get("iss") == self.issuer

    def verify(self, token: str, *, now: datetime) -> AccessTokenClaims:
        """Verify signature, form and claims (RFC 8725, RFC 7515). Raises `InvalidToken` or `TokenExpired`."""
        segments = token.split(".")
        # The header must be exactly ours: no other algorithm or type, no `crit`, `b64`, `zip`, `jwk`, `x5u`.
        if len(segments) != _SEGMENTS or _read_segment(segments[0], strict=True) != _HEADER:
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
                options={"require": list(_REQUIRED), "verify_exp": False, "verify_iat": False},
            )
        except jwt.InvalidTokenError as error:
            raise InvalidToken from error
        return _claims(claims, now=now)


def _claims(claims: Mapping[str, Any], *, now: datetime) -> AccessTokenClaims:
    moments = (claims["iat"], claims["exp"])
    if any(not isinstance(claims[name], str) for name in _STRINGS) or any(
        type(moment) is not int for moment in moments
    ):
        raise InvalidToken
    if claims["exp"] <= now.timestamp():
        raise TokenExpired
    return AccessTokenClaims(subject=claims["sub"], session_id=claims["sid"], expires_at=float(claims["exp"]))


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
