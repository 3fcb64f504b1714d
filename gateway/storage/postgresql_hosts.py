"""Connecting to PostgreSQL: which of its hosts, and in plain words why none of them would have us."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import asyncpg
from asyncpg.exceptions import TargetServerAttributeNotMatched

from gateway.config.database_url import PostgresqlServer
from gateway.errors import DatabaseUnavailable

_CONNECT_WITHIN_SECONDS = 3
_ENCODING = "UTF8"
_HOST = re.compile(r"(?P<host>\[[^\]]+\]|[^:]*)(?::(?P<port>[0-9]+))?")


class _OtherEncoding(Exception):
    """The database cannot hold every name."""

    def __str__(self) -> str:
        return f"its encoding is {self.args[0]}: make it anew with ENCODING 'UTF8' TEMPLATE template0"


_EXPECTED = (
    *(OSError, ValueError, _OtherEncoding),
    *(asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError),
)
_CURES: tuple[tuple[type[Exception], str], ...] = (
    (
        asyncpg.InvalidAuthorizationSpecificationError,
        "it refuses the user or the password in DATABASE_URL, or its pg_hba.conf does not let this machine in",
    ),
    (asyncpg.InvalidCatalogNameError, "it has no database of that name: make it with CREATE DATABASE"),
    (
        asyncpg.TooManyConnectionsError,
        "it has no connection left: raise its max_connections, or run fewer processes",
    ),
    (asyncpg.CannotConnectNowError, "it is just starting or shutting down: try again in a moment"),
    (TargetServerAttributeNotMatched, "it is a standby, which takes no writes: name the primary, or every host"),
    # Before OSError, of which it is one; and asyncpg's own words may repeat a part of the URL.
    (TimeoutError, f"it did not answer within {_CONNECT_WITHIN_SECONDS} seconds: are host and port right?"),
    (
        FileNotFoundError,
        "a file that DATABASE_URL names is not there: a certificate, or the socket of a server on this machine",
    ),
    (asyncpg.InterfaceError, "DATABASE_URL, or the file of a certificate that it names, cannot be used"),
    (ValueError, "DATABASE_URL cannot be read: special characters in user and password are written as %XX"),
)


@dataclass(frozen=True, slots=True)
class _Host:
    """One of several hosts; what is `None` is as the URL says."""

    name: str | None = None
    port: int | None = None


class PostgresqlHosts:
    """The hosts of one address. The one that answered last is asked first; one that did not, last."""

    def __init__(self, server: PostgresqlServer) -> None:
        self._server = server
        self._hosts = deque(_hosts(server.dsn))

    async def connect(self, **options: Any) -> asyncpg.Connection:  # noqa: ANN401 - asyncpg's own arguments
        """Connect to the first host that takes writes. Raises `DatabaseUnavailable` with cause and cure."""
        failure: Exception | None = None
        for _ in range(len(self._hosts)):
            host = self._hosts[0]
            try:
                return await self._connect(host, **options)
            except BaseException as error:
                # Cancelled as well: a machine that is switched off answers later than some callers wait, and the
                # next attempt would begin with it again.
                if self._hosts[0] is host:
                    self._hosts.rotate(-1)
                if not isinstance(error, _EXPECTED):
                    raise
                failure = failure or error
        message = f"the database {self._server} cannot be reached: {_explain(failure)}"
        raise DatabaseUnavailable(message) from failure

    async def _connect(self, host: _Host, **options: Any) -> asyncpg.Connection:  # noqa: ANN401 - as above
        given = {"host": host.name, "port": host.port} if host.name else {}
        # A standby may be behind: read there, a session that was revoked on the primary would be good still.
        if "target_session_attrs" not in self._server.dsn:
            given["target_session_attrs"] = "primary"
        connection = await asyncpg.connect(self._server.dsn, timeout=_CONNECT_WITHIN_SECONDS, **given, **options)
        # Names in other scripts could not be stored, which would be noticed long after the installation.
        encoding = getattr(connection.get_settings(), "server_encoding", _ENCODING)
        if encoding != _ENCODING:
            connection.terminate()
            raise _OtherEncoding(encoding)
        return connection


def _hosts(dsn: str) -> list[_Host]:
    """Split several hosts: asyncpg has one deadline for them all, which the first silent one would use up."""
    written = urlsplit(dsn).netloc.rpartition("@")[2].split(",")
    matches = [_HOST.fullmatch(host) for host in written]
    if len(matches) == 1 or not all(match and match["host"] for match in matches):
        return [_Host()]
    return [_Host(unquote(m["host"].strip("[]")), int(m["port"]) if m["port"] else None) for m in matches if m]


def _explain(failure: Exception | None) -> str:
    for kind, cure in _CURES:
        if isinstance(failure, kind):
            return cure
    return f"{failure}"
