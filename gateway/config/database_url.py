"""`DATABASE_URL`: which databases there are, and how they are written."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from gateway.config.written import text_of

_SQLITE = "sqlite:///"
_TLS_MODES = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}
_HOST = re.compile(r"(?:\[[^\]]+\]|[^:\[\]]*)(?::[0-9]+)?", re.ASCII)
# What SQLAlchemy, Heroku and libpq call the same.
_POSTGRESQL = re.compile(r"postgres(?:ql)?(?:\+asyncpg)?://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SqliteFile:
    """The database is a file on this machine."""

    path: Path

    def __str__(self) -> str:
        return str(self.path.resolve())


@dataclass(frozen=True, slots=True)
class PostgresqlServer:
    """The database is on a server. `dsn` as libpq reads it (several hosts, `sslmode`), and it may hold a password."""

    dsn: str = field(repr=False)

    def __str__(self) -> str:
        return redacted(self.dsn)


DatabaseAddress = SqliteFile | PostgresqlServer


def parse_database_url(written: object) -> object:
    """Accept `sqlite:///file`, and `postgresql://` with the name of a database."""
    text = text_of(written)
    if _POSTGRESQL.match(text):
        return _parse_server(text)
    file = text.removeprefix(_SQLITE)
    if file == text or not file.isprintable() or not file or "?" in file or file == ":memory:":
        message = (
            "must be sqlite:/// and the path of a file, or postgresql://user:password@host/database, or be left out "
            "to keep it in the data folder"
        )
        raise ValueError(message)
    return text


def _parse_server(text: str) -> str:
    message = "must be postgresql://user:password@host/database"
    if not text.isprintable() or " " in text:
        raise ValueError(message)
    try:
        parts = urlsplit(text)
    except ValueError:
        raise ValueError(message) from None
    # Else the driver would look for a host that is half a password, and only when it connects.
    hosts = parts.netloc.rpartition("@")
    misplaced = "@" in hosts[0] or "@" in parts.path or parts.fragment
    if misplaced or not all(_HOST.fullmatch(host) for host in hosts[2].split(",")):
        message += ": special characters of user and password are written as %XX, @ as %40"
        raise ValueError(message)
    if not _TLS_MODES.issuperset(parse_qs(parts.query).get("sslmode", [])):
        message = f"sslmode must be one of {', '.join(sorted(_TLS_MODES))}"
        raise ValueError(message)
    if not parts.path.strip("/"):
        message += ": the name of the database is missing"
        raise ValueError(message)
    return _POSTGRESQL.sub("postgresql://", text, count=1)


def database_address(url: str) -> DatabaseAddress:
    """Read a URL that was accepted; four slashes begin an absolute path."""
    return PostgresqlServer(url) if _POSTGRESQL.match(url) else SqliteFile(Path(url.removeprefix(_SQLITE)))


def redacted(url: str) -> str:
    """Hide user, password and query, which may hold one; keep host and database."""
    scheme, _, rest = url.partition("://")
    end = min((place for mark in "?#" if (place := rest.find(mark)) >= 0), default=len(rest))
    address, query = rest[:end], rest[end:]
    if "@" in query:
        # In a query, or in a password that has a "?" in it as it is: where it begins and ends nobody can say.
        return f"{scheme}://********"
    _, at, host_and_database = address.rpartition("@")
    return f"{scheme}://{'********@' if at else ''}{host_and_database}"
