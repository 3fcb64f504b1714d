"""Temp tokens: good for their own purpose, and no token of another purpose is one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import jwt
import pytest

from gateway.credentials.access_tokens import AccessTokens
from gateway.credentials.temp_tokens import TempTokenClaims, TempTokens
from gateway.errors import InvalidToken, TokenExpired

ISSUER = "https://auth.example.com"
KEY = b"a key of thirty-two bytes, or so"
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
CLAIMS = TempTokenClaims(subject="account", challenge_token="challenge")
TOKENS = TempTokens(key=KEY, issuer=ISSUER)


def test_what_was_signed_is_good_until_it_ends() -> None:
    token = TOKENS.sign(CLAIMS, now=NOW, expires_at=LATER)
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "2fa+jwt"}
    assert TOKENS.verify(token, now=LATER - timedelta(seconds=1)) == CLAIMS
    with pytest.raises(TokenExpired):
        TOKENS.verify(token, now=LATER)


def test_access_token_is_none_and_the_other_way_round() -> None:
    """J2: even under the same key."""
    access = AccessTokens(key=KEY, issuer=ISSUER, lifetime=timedelta(minutes=15))
    with pytest.raises(InvalidToken):
        TOKENS.verify(access.sign(subject="account", session_id="s", now=NOW, profile={}), now=NOW)
    with pytest.raises(InvalidToken):
        access.verify(TOKENS.sign(CLAIMS, now=NOW, expires_at=LATER), now=NOW)


@pytest.mark.parametrize(
    "others",
    [TempTokens(key=b"another key, of as many bytes ..", issuer=ISSUER), TempTokens(key=KEY, issuer="https://evil.example")],
)  # fmt: skip
def test_token_of_another_gateway_is_none(others: TempTokens) -> None:
    with pytest.raises(InvalidToken):
        TOKENS.verify(others.sign(CLAIMS, now=NOW, expires_at=LATER), now=NOW)


@pytest.mark.parametrize("missing", ["iss", "aud", "sub", "jti", "iat", "exp"])
def test_every_claim_is_needed(missing: str) -> None:
    said = jwt.decode(TOKENS.sign(CLAIMS, now=NOW, expires_at=LATER), options={"verify_signature": False})
    del said[missing]
    token = jwt.encode(said, KEY, algorithm="HS256", headers={"typ": "2fa+jwt"})
    with pytest.raises(InvalidToken):
        TOKENS.verify(token, now=NOW)
