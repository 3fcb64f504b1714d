"""`DATABASE_URL` and `REDIS_URL`: which of them this version can use."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import SecretStr

_SQLITE = "sqlite:///"
_POSTGRESQL = re.compile(r"postgres(?:ql)?(?:\+\w+)?://", re.IGNORECASE)
_REDIS = re.compile(r"(?:rediss?|unix)://\S+", re.IGNORECASE)


def parse_database_url(written: object) -> object:
    """Accept `sqlite:///file` only; what else it might become is answered as such."""
    text = _text(written)
    if _POSTGRESQL.match(text):
        message = "not yet: PostgreSQL comes with a later version, leave DATABASE_URL out to use SQLite"
        raise ValueError(message)
    file = text.removeprefix(_SQLITE)
    if file == text or not file.isprintable() or not file or "?" in file or file == ":memory:":
        message = "must be sqlite:/// and the path of a file, or be left out to keep it in the data folder"
        raise ValueError(message)
    return text


def require_redis_url(written: object) -> object:
    """Accept what Redis clients read."""
    text = _text(written)
    if not _REDIS.fullmatch(text):
        message = "must begin with redis://, rediss:// or unix://"
        raise ValueError(message)
    return text


def sqlite_path(url: str) -> Path:
    """Return the file that a `sqlite:///` URL names; four slashes begin an absolute path."""
    return Path(url.removeprefix(_SQLITE))


def redacted(url: str) -> str:
    """Hide user, password and query, which may hold one; keep host and database."""
    scheme, _, rest = url.partition("://")
    address = rest.partition("?")[0]
    _, at, host_and_database = address.rpartition("@")
    return f"{scheme}://{'********@' if at else ''}{host_and_database}"


def _text(written: object) -> str:
    if isinstance(written, SecretStr):
        return written.get_secret_value()
    if not isinstance(written, str):
        message = "must be text"
        raise ValueError(message)  # noqa: TRY004 - pydantic collects ValueError only
    return written.strip()
