"""Credentials on a check → what is known of them, from memory and at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.facts.facts import Facts
    from gateway.forward_auth.head_layout import HeadLayout
    from gateway.recognition.recognition import Recognition

MAX_FOREIGN = 4096
_BEARER = b"Bearer "
_WORD = bytes(range(0x21, 0x7F))


class NotAtOnce(Exception):
    """Memory alone cannot say."""


class WarmCredentials:
    """Recall the credentials in their usual spellings. Raises `NotAtOnce` for whatever else holds something of ours."""

    def __init__(self, recognition: Recognition, *, cookie_name: str, key_prefixes: tuple[str, ...]) -> None:
        self._recognition = recognition
        self._at_once = recognition.at_once
        self._by_session_token = recognition.at_once.by_session_token
        self._cookie = cookie_name.encode()
        self._key_prefixes = tuple(prefix.encode() for prefix in key_prefixes)
        # Bearer tokens of applications come with every request of their pages; that they are not ours is read once.
        self._foreign: set[bytes] = set()

    def by_cookie(self, line: bytes) -> Facts | None:
        """Give the facts of the session; `None`: there is no cookie of ours."""
        cookie = self._cookie
        start = line.find(cookie)
        if start < 0:
            return None
        # Without a value it is a second one as well.
        value = start + len(cookie) + 1
        if (
            (start and line[start - 2 : start] != b"; ")
            or line[value - 1 : value] != b"="
            or line.find(cookie, value) >= 0
        ):
            raise NotAtOnce
        end = line.find(b";", value)
        facts = self._by_session_token(line[value:] if end < 0 else line[value:end])
        if facts is None:
            raise NotAtOnce
        return facts

    def by_header(self, layout: HeadLayout, headers: Mapping[bytes, bytes]) -> Facts | None:
        """Give the facts of an API key or an access token; `None`: what is there is not ours."""
        if layout.authorization is None:
            assert layout.api_key is not None, "asked where one of the two is there"  # noqa: S101 - for the type checker
            key = headers[layout.api_key]
            return self._by_key(key) if key.startswith(self._key_prefixes) else None
        line = headers[layout.authorization]
        if layout.api_key is not None or not line.startswith(_BEARER):
            raise NotAtOnce
        token = line[len(_BEARER) :]
        return self._by_key(token) if token.startswith(self._key_prefixes) else self._by_token(token)

    def _by_key(self, key: bytes) -> Facts:
        facts = self._at_once.by_api_key(key)
        if facts is None:
            raise NotAtOnce
        return facts

    def _by_token(self, token: bytes) -> Facts | None:
        fingerprint = self._at_once.fingerprints.access_token(token)
        if fingerprint in self._foreign:
            return None
        facts = self._at_once.by_access_token(token, fingerprint=fingerprint)
        if facts is None:
            if token.translate(None, _WORD) or self._recognition.names_us(token.decode("ascii")):
                raise NotAtOnce
            if len(self._foreign) >= MAX_FOREIGN:
                self._foreign.clear()
            self._foreign.add(fingerprint)
        return facts
