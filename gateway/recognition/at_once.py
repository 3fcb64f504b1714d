"""A credential → what is known of it, from memory, or from a database that answers without being waited for."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gateway.errors import GatewayError
from gateway.facts.fingerprints import Fingerprints

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.api_keys import ApiKeys
    from gateway.credentials.access_tokens import AccessTokens
    from gateway.facts.cache import FactsCache
    from gateway.facts.facts import Facts
    from gateway.recognition.facts_of import FactsOf
    from gateway.sessions import Sessions

# Seconds: nobody sees more of a use.
_NOTED_EVERY = 1.0


class RecognitionAtOnce:
    """What `Recognition` would find, as far as nothing has to be waited for. `None` says nothing: ask `Recognition`."""

    def __init__(
        self,
        *,
        facts: FactsCache,
        sessions: Sessions,
        access_tokens: AccessTokens,
        api_keys: ApiKeys,
        facts_of: FactsOf,
    ) -> None:
        self.fingerprints = Fingerprints()
        self._facts = facts
        self._sessions = sessions
        self._access_tokens = access_tokens
        self._api_keys = api_keys
        self._facts_of = facts_of
        self._touch_session = sessions.last_use.touch
        self._touch_api_key = api_keys.last_use.touch

    @property
    def learns(self) -> bool:
        """Whether the database is asked as well; where not, what memory does not know is for `Recognition` to find."""
        return self._facts.learns_at_once

    def recall(self, fingerprint: bytes) -> Facts | None:
        """Give what memory knows, and note the use."""
        facts = self._facts.find(fingerprint)
        if facts is None:
            return None
        now = time.time()
        idle = now - facts.noted_at
        # As `Facts.expired`, without its call: this line is part of every check.
        if facts.expires_at <= now or idle >= facts.idle_timeout:
            return None
        if idle >= _NOTED_EVERY or idle < 0.0:
            self.note_use(facts, now)
        return facts

    def learn_session(self, fingerprint: bytes, token: bytes) -> Facts | None:
        return self._learn(fingerprint, token, self._read_session)

    def learn_api_key(self, fingerprint: bytes, key: bytes) -> Facts | None:
        return self._learn(fingerprint, key, self._read_api_key)

    def learn_access_token(self, fingerprint: bytes, token: bytes) -> Facts | None:
        return self._learn(fingerprint, token, self._read_access_token)

    def note_use(self, facts: Facts, now: float) -> None:
        """Slide the idle expiry (the absolute one never moves, ASVS 7.3.2), and remember when it was."""
        before, facts.noted_at = facts.noted_at, now
        principal = facts.principal
        if principal.session_id is not None:
            self._touch_session(principal.session_id, now, before)
        elif principal.api_key_id is not None:
            self._touch_api_key(principal.api_key_id, now, before)

    def _learn(self, fingerprint: bytes, credential: bytes, read: Callable[[str], Facts | None]) -> Facts | None:
        facts = self._facts.learn(fingerprint, lambda: read(credential.decode("utf-8", "surrogateescape")))
        if facts is None:
            return None
        now = time.time()
        if facts.expired(now):
            return None
        self.note_use(facts, now)
        return facts

    def _read_session(self, token: str) -> Facts | None:
        known = self._sessions.find_by_token_at_once(token)
        return None if known is None else self._facts_of.session(known)

    def _read_api_key(self, key: str) -> Facts | None:
        known = self._api_keys.find_at_once(key) if self._api_keys.is_sound(key) else None
        return None if known is None else self._facts_of.api_key(known)

    def _read_access_token(self, token: str) -> Facts | None:
        try:
            claims = self._access_tokens.verify(token, now=datetime.now(UTC))
        except GatewayError:
            # It is verified once more, by who says what is wrong with it.
            return None
        known = self._sessions.find_at_once(claims.session_id)
        return None if known is None else self._facts_of.access_token(known, claims)
