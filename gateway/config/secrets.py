"""The secrets a gateway signs and digests with: configured, or made once and kept in the data folder."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr

from gateway.config.findings import ConfigurationError, Finding
from gateway.config.settings import Settings

_KEY_BYTES = 32
_GENERATED_BYTES = 48
_OTHERS = 0o007


@dataclass(frozen=True, slots=True)
class Origin:
    """The setting that a secret comes from, or `file`: the one in the data folder that keeps what was generated."""

    variable: str
    file: Path | None

    def __str__(self) -> str:
        return self.variable if self.file is None else str(self.file)


@dataclass(frozen=True, slots=True)
class Secrets:
    """The three secrets, each stretched to 32 bytes, and all that is derived from them.

    Keys of programs outlive a changed JWT secret: their digests depend on the salt only. So do second factors and the
    chain of the audit log, which depend on the encryption key.
    """

    jwt_secret: bytes = field(repr=False)
    api_key_salt: bytes = field(repr=False)
    encryption_key: bytes = field(repr=False)
    origins: Mapping[str, Origin]

    def derive(self, purpose: str) -> bytes:
        """Return a key of 32 bytes that no other purpose shares, so that one of them tells nothing of another."""
        return _expand(self.jwt_secret, purpose)

    def derive_lasting(self, purpose: str) -> bytes:
        """Return a key of 32 bytes as `derive` does, from the encryption key: for what outlives all logins."""
        return _expand(self.encryption_key, purpose)

    def fingerprints(self) -> dict[str, str]:
        """Give what tells a changed secret without telling the secret."""
        secrets_by_name = {
            _JWT_SECRET.name: self.jwt_secret,
            _API_KEY_SALT.name: self.api_key_salt,
            _ENCRYPTION_KEY.name: self.encryption_key,
        }
        return {name: sha256(_expand(value, "fingerprint")).hexdigest() for name, value in secrets_by_name.items()}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a secret comes from: its setting, else the file of that name in the data folder."""

    name: str
    key: str
    variable: str
    loss: str


_JWT_SECRET = _Place(
    "jwt_secret", "basic_auth.jwt_secret", "BASIC_AUTH_JWT_SECRET", "everybody is logged out and logs in again"
)
_API_KEY_SALT = _Place("api_key_salt", "api_key_salt", "GATEWAY_API_KEY_SALT", "every API key has to be made anew")
_ENCRYPTION_KEY = _Place(
    "encryption_key", "encryption_key", "GATEWAY_ENCRYPTION_KEY", "every second factor has to be set up anew"
)


def load_secrets(settings: Settings) -> Secrets:
    """Take the configured secrets, or those in the data folder, which are made at the first start.

    Raises `ConfigurationError` where a file cannot be made or read, or where everybody may read it.
    """
    configured = {
        _JWT_SECRET: settings.basic_auth.jwt_secret,
        _API_KEY_SALT: settings.api_key_salt,
        _ENCRYPTION_KEY: settings.encryption_key,
    }
    return Secrets(
        jwt_secret=_load(settings, _JWT_SECRET, configured=configured[_JWT_SECRET], purpose="jwt secret"),
        api_key_salt=_load(settings, _API_KEY_SALT, configured=configured[_API_KEY_SALT], purpose="api key salt"),
        encryption_key=_load(
            settings, _ENCRYPTION_KEY, configured=configured[_ENCRYPTION_KEY], purpose="encryption key"
        ),
        origins={
            place.name: Origin(place.variable, settings.data_dir / place.name if secret is None else None)
            for place, secret in configured.items()
        },
    )


def _load(settings: Settings, place: _Place, *, configured: SecretStr | None, purpose: str) -> bytes:
    if configured is not None:
        # The seed asks for no length, HMAC does: HKDF makes 32 bytes of whatever was configured.
        return _expand(configured.get_secret_value().encode(), purpose)
    path = settings.data_dir / place.name
    try:
        text = _read_or_make(path, place)
    except OSError as error:
        message = f"cannot be used ({error.strerror}): make the data folder writable, or set {place.variable}"
        raise _unusable(path, place, message) from error
    return _expand(text, purpose)


def _read_or_make(path: Path, place: _Place) -> bytes:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        _make(path)
    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        text = file.read(1024).strip()
    if mode & _OTHERS:
        raise _unusable(path, place, f"may be read by everybody on this machine: run `chmod 600 {path}`")
    if len(text) < _GENERATED_BYTES:
        cure = f"restore it from a backup, or delete it and run `gateway secrets accept` ({place.loss})"
        raise _unusable(path, place, f"is damaged: {cure}")
    return text


def _make(path: Path) -> None:
    """Write a new secret beside the place and link it there: whole or not at all, and the first process wins."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_urlsafe(_GENERATED_BYTES).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
        _sync_folder(path.parent)
    finally:
        draft.unlink()


def _sync_folder(folder: Path) -> None:
    # Without it a power cut may take the new name back, and with it every session made since.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _expand(secret: bytes, purpose: str) -> bytes:
    """HKDF-SHA-256 (RFC 5869) without salt; `info` separates the purposes."""
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=f"gateway {purpose}".encode()).derive(secret)


def _unusable(path: Path, place: _Place, message: str) -> ConfigurationError:
    return ConfigurationError([Finding(place.key, str(path), message)])
