"""`REDIS_URL`: one server, a socket, or Sentinels and the name that they watch."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from gateway.config.written import text_of
from gateway.grammar.hosts import split_host_and_port

_SCHEMES = {"redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel"}
_PORT, _SENTINEL_PORT = 6379, 26379
_NUMBER = re.compile(r"[0-9]{1,5}", re.ASCII)
# Named as in redis-py. What is not here (time-outs, sizes, protocols) is the gateway's to choose.
_TLS_OPTIONS = {"ssl_ca_certs", "ssl_certfile", "ssl_keyfile"}
_SENTINEL_OPTIONS = {"sentinel_username", "sentinel_password"}


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """Where Redis is. With a `service` the hosts are Sentinels, who know its master; with a `socket` there are none."""

    hosts: tuple[tuple[str, int], ...] = ()
    socket: str | None = None
    service: str | None = None
    database: int = 0
    tls: bool = False
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    options: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)


def require_redis_url(written: object) -> object:
    """Accept what can be read as an address of Redis; the text stays what it was."""
    text = text_of(written)
    parse_redis_url(text)
    return text


def parse_redis_url(text: str) -> RedisAddress:
    """Read a URL. Raises `ValueError`, whose message holds nothing of the text: there may be a password in it."""
    scheme, colon, rest = text.partition("://")
    scheme = scheme.lower()
    if not colon or scheme not in _SCHEMES or not text.isprintable() or " " in text:
        message = "must begin with redis://, rediss://, unix:// or redis+sentinel://"
        raise ValueError(message)
    try:
        parts = urlsplit(f"redis://{rest}")
    except ValueError:
        message = "must be redis://user:password@host:6379/0; special characters of a password are written as %40"
        raise ValueError(message) from None
    return _parse(scheme, parts, _options(scheme, parts.query))


def _parse(scheme: str, parts: SplitResult, options: dict[str, str]) -> RedisAddress:
    credentials, _, hosts = parts.netloc.rpartition("@")
    username, _, password = credentials.partition(":")
    path, database = unquote(parts.path), options.pop("db", "")
    known = RedisAddress(
        tls=scheme.startswith("rediss"),
        username=unquote(username) or None,
        password=unquote(password) or None,
        options=MappingProxyType(options),
    )
    if scheme == "unix":
        if hosts or len(path) < len("/s"):
            message = "must be unix:///path/of/the/socket"
            raise ValueError(message)
        return replace(known, socket=path, database=_database(database))
    path = path.strip("/")
    if not scheme.endswith("+sentinel"):
        return replace(known, hosts=(_host(hosts, _PORT),), database=_database(database or path))
    if not path or "/" in path or not hosts:
        message = "must be redis+sentinel://host:26379,host:26379/name: the name that the Sentinels watch is missing"
        raise ValueError(message)
    sentinels = tuple(_host(host, _SENTINEL_PORT) for host in hosts.split(","))
    return replace(known, hosts=sentinels, service=path, database=_database(database))


def _options(scheme: str, query: str) -> dict[str, str]:
    allowed = {"db"}
    if scheme.startswith("rediss"):
        allowed |= _TLS_OPTIONS
    if scheme.endswith("+sentinel"):
        allowed |= _SENTINEL_OPTIONS
    options = dict(parse_qsl(query, keep_blank_values=True))
    if not options.keys() <= allowed:
        message = f"has an option that is not known; there is {', '.join(sorted(allowed))}"
        raise ValueError(message)
    return options


def _host(text: str, port: int) -> tuple[str, int]:
    try:
        host, named = split_host_and_port(text or "localhost")
    except ValueError as error:
        message = f"names a host that cannot be: {error}"
        raise ValueError(message) from None
    return host.strip("[]"), named or port


def _database(text: str) -> int:
    if text and not _NUMBER.fullmatch(text):
        message = "must end with the number of a database, such as /0"
        raise ValueError(message)
    return int(text or 0)
