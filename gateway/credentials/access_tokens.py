"""Our access tokens: bound to a session by `sid`."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.credentials.signed_tokens import SignedTokens

TOKEN_TYPE = "at+jwt"  # noqa: S105 - RFC 9068's name of the type, no password
_STRINGS = ("sub", "sid", "jti", "acr")
_TWO_FACTORS = 2


@dataclass(frozen=True, slots=True)
class AccessTokenClaims:
    """What a good access token says; whether its session lives is asked elsewhere."""

    subject: str
    session_id: str
    expires_at: float
    level: int


@dataclass(frozen=True, slots=True)
class AccessTokens:
    """Sign and verify under one key. Issuer and audience are the gateway's public URL."""

    key: bytes = field(repr=False)
    issuer: str
    lifetime: timedelta

    @property
    def _tokens(self) -> SignedTokens:
        return SignedTokens(key=self.key, issuer=self.issuer, token_type=TOKEN_TYPE, strings=_STRINGS)

    def sign(self, *, subject: str, session_id: str, now: datetime, profile: Mapping[str, str], level: int = 1) -> str:
        """Sign one for the factors that its session stands for now: what the session proves later is not this one's."""
        claims = {**profile, "sub": subject, "sid": session_id, "jti": secrets.token_urlsafe(16), "acr": str(level)}
        return self._tokens.sign(claims, issued_at=now, expires_at=now + self.lifetime)

    def are_issuer_of(self, token: str) -> bool:
        """Say whether a token names us as its issuer, without believing a word of it.

        Such a token decides alone: a bad one is refused and never falls back to another credential.
        """
        return self._tokens.are_issuer_of(token)

    def verify(self, token: str, *, now: datetime) -> AccessTokenClaims:
        """Verify signature, form and claims (RFC 8725, RFC 7515). Raises `InvalidToken` or `TokenExpired`."""
        claims = self._tokens.verify(token, now=now)
        level = _TWO_FACTORS if claims["acr"] == str(_TWO_FACTORS) else 1
        return AccessTokenClaims(claims["sub"], claims["sid"], float(claims["exp"]), level)
