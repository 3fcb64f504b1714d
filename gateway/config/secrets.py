"""The secrets a gateway signs and digests with: configured, or made once and kept in the data folder."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.config.findings import ConfigurationError, Finding
from gateway.config.settings import Settings

_KEY_BYTES = 32
_FILE_NAME = "jwt_secret"
_GENERATED_BYTES = 48
_KEY = "basic_auth.jwt_secret"
_OTHERS = 0o007


@dataclass(frozen=True, slots=True)
class Secrets:
    """The JWT secret, stretched to 32 bytes, and all that is derived from it."""

    jwt_secret: bytes = field(repr=False)
    jwt_secret_origin: Literal["configured", "generated"]

    def derive(self, purpose: str) -> bytes:
        """Return a key of 32 bytes that no other purpose shares, so that one of them tells nothing of another."""
        return _expand(self.jwt_secret, purpose)


def load_secrets(settings: Settings) -> Secrets:
    """Take the configured secret, or the one in the data folder, which is made at the first start.

    Raises `ConfigurationError` where the file cannot be made or read, or where everybody may read it.
    """
    configured = settings.basic_auth.jwt_secret
    if configured is not None:
        # The seed asks for no length, HMAC does: HKDF makes 32 bytes of whatever was configured.
        return Secrets(_expand(configured.get_secret_value().encode(), "jwt secret"), "configured")
    path = settings.data_dir / _FILE_NAME
    try:
        text = _read_or_make(path)
    except OSError as error:
        raise _unusable(
            path, f"cannot be used ({error.strerror}): make the data folder writable, or set BASIC_AUTH_JWT_SECRET"
        ) from error
    return Secrets(_expand(text, "jwt secret"), "generated")


def _read_or_make(path: Path) -> bytes:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        _make(path)
    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        text = file.read(1024).strip()
    if mode & _OTHERS:
        raise _unusable(path, f"may be read by everybody on this machine: run `chmod 600 {path}`")
    if len(text) < _GENERATED_BYTES:
        raise _unusable(
            path, "is damaged: restore it from a backup, or delete it (everybody is logged out and logs in again)"
        )
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


def _unusable(path: Path, message: str) -> ConfigurationError:
    return ConfigurationError([Finding(_KEY, str(path), message)])
