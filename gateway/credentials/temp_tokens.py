"""Temp tokens: what a program holds between the first factor and the second, naming one challenge of one account."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from gateway.credentials.signed_tokens import SignedTokens

TOKEN_TYPE = "2fa+jwt"  # noqa: S105 - the name of the type, no password
_STRINGS = ("sub", "jti")


@dataclass(frozen=True, slots=True)
class TempTokenClaims:
    """Whose login is half finished, and the challenge's own token, under which it is stored."""

    subject: str
    challenge_token: str


@dataclass(frozen=True, slots=True)
class TempTokens:
    """Sign and verify under a key of their own, so that no token of another purpose is ever taken for one."""

    key: bytes = field(repr=False)
    issuer: str

    @property
    def _tokens(self) -> SignedTokens:
        return SignedTokens(key=self.key, issuer=self.issuer, token_type=TOKEN_TYPE, strings=_STRINGS)

    def sign(self, claims: TempTokenClaims, *, now: datetime, expires_at: datetime) -> str:
        said = {"sub": claims.subject, "jti": claims.challenge_token}
        return self._tokens.sign(said, issued_at=now, expires_at=expires_at)

    def verify(self, token: str, *, now: datetime) -> TempTokenClaims:
        """Verify signature, form and claims. Raises `InvalidToken` or `TokenExpired`."""
        claims = self._tokens.verify(token, now=now)
        return TempTokenClaims(subject=claims["sub"], challenge_token=claims["jti"])
