"""Known devices: a browser's own record of the accounts that logged in on it, signed, so that nobody makes one up."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import secrets
import time
from dataclasses import dataclass, field, replace
from datetime import timedelta

LIFETIME = timedelta(days=365)
_ACCOUNTS = 5
_ID_BYTES = 16
# 128 bits: a tag that fits by chance does not happen.
_TAG_BYTES = 16
_SIGNATURE_BYTES = 32
# Far above our own cookies.
_MAX_COOKIE = 512


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """A browser, by a random id, and the last accounts that logged in on it, as tags that name nobody."""

    id: str
    tags: tuple[str, ...] = ()
    key: bytes = field(repr=False, kw_only=True)

    def knows(self, account: str) -> bool:
        """Say whether the account has logged in here, while it was known as this."""
        tag = self._tag(account)
        return any(hmac.compare_digest(tag, known) for known in self.tags)

    def remember(self, account: str) -> KnownDevice:
        """Give the device as it is after a login; the account that was away for the longest is forgotten."""
        tag = self._tag(account)
        return replace(self, tags=(tag, *(known for known in self.tags if known != tag))[:_ACCOUNTS])

    def _tag(self, account: str) -> str:
        # With the device's id: two cookies do not tell that they are of one person. It holds no NUL.
        return hmac.digest(self.key, f"{self.id}\0{account}".encode(), "sha256")[:_TAG_BYTES].hex()


class KnownDevices:
    """Make, sign and read devices. A cookie that we did not sign, or a year ago, is no device."""

    def __init__(self, *, key: bytes) -> None:
        self._key = key

    def new(self) -> KnownDevice:
        return KnownDevice(secrets.token_hex(_ID_BYTES), key=self._key)

    def seal(self, device: KnownDevice) -> str:
        content = {"at": int(time.time()), "id": device.id, "tags": device.tags}
        payload = json.dumps(content, separators=(",", ":")).encode()
        # Without padding: a cookie's value that holds "=" is put in quotes, and browsers send those back with it.
        return base64.urlsafe_b64encode(self._signature(payload) + payload).rstrip(b"=").decode()

    def open(self, cookie: str) -> KnownDevice | None:
        try:
            padded = cookie + "=" * (-len(cookie) % 4)
            sealed = base64.b64decode(padded, altchars=b"-_", validate=True) if len(cookie) <= _MAX_COOKIE else b""
        except (binascii.Error, ValueError):
            return None
        signature, payload = sealed[:_SIGNATURE_BYTES], sealed[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._signature(payload)):
            return None
        content = json.loads(payload)
        if not 0 <= time.time() - content["at"] < LIFETIME.total_seconds():
            return None
        return KnownDevice(content["id"], tuple(content["tags"]), key=self._key)

    def _signature(self, payload: bytes) -> bytes:
        return hmac.digest(self._key, b"device\0" + payload, "sha256")
