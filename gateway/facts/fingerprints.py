"""What facts are found by: a keyed hash of the credential, under a key that lives and dies with this process.

The digests that are stored are HMACs, which cost four times as much. Nobody can make a fingerprint without the key
(RFC 7693), and none is ever written down: what is known about a credential never stands beside the credential itself.
"""

from __future__ import annotations

import secrets
from functools import partial
from hashlib import blake2b

_KEY_BYTES = 32
# Far beyond what can be guessed, and in one unit of Python's memory with what it adds.
_BYTES = 15


class Fingerprints:
    """One function for each kind of credential: equal credentials of two kinds have different fingerprints."""

    def __init__(self) -> None:
        # A copy of a hash that has its key costs half of a new one.
        keyed = partial(blake2b, key=secrets.token_bytes(_KEY_BYTES), digest_size=_BYTES)
        self._session = keyed(person=b"session")
        self._access_token = keyed(person=b"access token")
        self._api_key = keyed(person=b"api key")
        self._password = keyed(person=b"password")

    def session(self, token: bytes) -> bytes:
        own = self._session.copy()
        own.update(token)
        return own.digest()

    def access_token(self, token: bytes) -> bytes:
        own = self._access_token.copy()
        own.update(token)
        return own.digest()

    def api_key(self, key: bytes) -> bytes:
        own = self._api_key.copy()
        own.update(key)
        return own.digest()

    def password(self, name_and_password: bytes) -> bytes:
        own = self._password.copy()
        own.update(name_and_password)
        return own.digest()
