"""Session tokens and their digests."""

from __future__ import annotations

import base64
import hashlib
import hmac

from gateway.credentials.session_tokens import digest_token, make_token


def test_token_has_256_random_bits() -> None:
    """S1."""
    tokens = {make_token() for _ in range(1000)}
    assert len(tokens) == 1000
    assert {len(base64.urlsafe_b64decode(token + "=")) for token in tokens} == {32}


def test_token_needs_no_quoting_in_a_cookie_or_an_address() -> None:
    assert all(character.isalnum() or character in "-_" for character in make_token())


def test_what_is_stored_is_a_keyed_digest() -> None:
    """S1."""
    assert digest_token("token", key=b"key") == hmac.new(b"key", b"token", hashlib.sha256).digest()


def test_another_key_finds_nothing() -> None:
    assert digest_token("token", key=b"one") != digest_token("token", key=b"other")


def test_bytes_that_are_not_utf8_are_nobodys_token_and_no_error() -> None:
    digests = {digest_token(text, key=b"key") for text in ("\udcff", "\u00ff", "?", "")}
    assert len(digests) == 4
