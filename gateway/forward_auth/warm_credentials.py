"""Credentials on a check → what is known of them, from memory and at once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from gateway.facts.facts import Facts
    from gateway.forward_auth.head_layout import HeadLayout
    from gateway.recognition.recognition import Recognition

MAX_FOREIGN = 4096
# Bytes, far above our own; whether a longer one is worth a digest, the full check says.
_MAX_LOOKED_UP = 4096
_BEARER = b"Bearer "
_WORD = bytes(range(0x21, 0x7F))


class NotAtOnce(Exception):
    """Memory alone cannot say; once `look_up` was awaited, if there is one, it most likely can."""

    def __init__(self, look_up: Callable[[], Awaitable[object]] | None = None) -> None:
        super().__init__()
        self.look_up = look_up


class WarmCredentials:
    """Recall the credentials in their usual spellings. Raises `NotAtOnce` for whatever else holds something of ours."""

    def __init__(self, recognition: Recognition, *, cookie_name: str, key_prefixes: tuple[str, ...]) -> None:
        self._recognition = recognition
        self._at_once = at_once = recognition.at_once
        self._recall = at_once.recall
        self._fingerprint_of_session = at_once.fingerprints.session
        self._cookie = cookie_name.encode()
        self._key_prefixes = tuple(prefix.encode() for prefix in key_prefixes)
        # Bearer tokens of applications come with every request of their pages; that they are not ours is read once.
        self._foreign: set[bytes] = set()

    def by_cookie(self, line: bytes) -> Facts | None:
        """Give the facts of the session; `None`: there is no cookie of ours."""
        before, name, behind = line.partition(self._cookie)
        if not name:
            return None
        value, _, behind = behind.partition(b";")
        # Beside a second one, or one without a value, it depends on which counts.
        if (before and before[-2:] != b"; ") or value[:1] != b"=" or (behind and name in behind):
            raise NotAtOnce
        token = value[1:]
        fingerprint = self._fingerprint_of_session(token)
        facts = self._recall(fingerprint) or self._at_once.learn_session(fingerprint, token)
        if facts is None:
            raise self._unknown(token, self._recognition.by_session_token)
        return facts

    def by_header(self, layout: HeadLayout, values: Sequence[bytes]) -> Facts | None:
        """Give the facts of an API key or an access token; `None`: what is there is not ours."""
        if layout.authorization is None:
            assert layout.api_key is not None, "asked where one of the two is there"  # noqa: S101 - for the type checker
            key = values[layout.api_key]
            if key[:1].isspace():
                # Blanks around a value are no part of it.
                raise NotAtOnce
            return self._by_key(key) if key.startswith(self._key_prefixes) else None
        line = values[layout.authorization]
        if layout.api_key is not None or not line.startswith(_BEARER):
            raise NotAtOnce
        token = line[len(_BEARER) :]
        return self._by_key(token) if token.startswith(self._key_prefixes) else self._by_token(token)

    def _by_key(self, key: bytes) -> Facts:
        fingerprint = self._at_once.fingerprints.api_key(key)
        facts = self._recall(fingerprint) or self._at_once.learn_api_key(fingerprint, key)
        if facts is None:
            raise self._unknown(key, self._recognition.by_api_key)
        return facts

    def _by_token(self, token: bytes) -> Facts | None:
        fingerprint = self._at_once.fingerprints.access_token(token)
        if fingerprint in self._foreign:
            return None
        facts = self._recall(fingerprint) or self._at_once.learn_access_token(fingerprint, token)
        if facts is None:
            if token.translate(None, _WORD):
                raise NotAtOnce
            if self._recognition.names_us(token.decode("ascii")):
                raise self._unknown(token, self._recognition.by_access_token)
            if len(self._foreign) >= MAX_FOREIGN:
                self._foreign.clear()
            self._foreign.add(fingerprint)
        return facts

    def _unknown(self, credential: bytes, recognise: Callable[[str], Awaitable[object]]) -> NotAtOnce:
        """Give what to raise for one that memory does not know, nor the store where it was asked at once."""
        if self._at_once.learns or len(credential) > _MAX_LOOKED_UP:
            return NotAtOnce()
        return NotAtOnce(partial(recognise, credential.decode("utf-8", "surrogateescape")))
