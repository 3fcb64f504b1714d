"""Connections to Redis: few, quick to give up, and never the reason why something else waits.

redis-py is loaded by whoever loads this: only where there is a `REDIS_URL`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import Connection, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import (
    Sentinel,
    SentinelConnectionPool,
    SentinelManagedConnection,
    SentinelManagedSSLConnection,
)
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from gateway.config.redis_url import RedisAddress, parse_redis_url

# The first is redis-py's own; the others come from beneath it, or from the deadline of whoever asks.
REDIS_FAILURES = (RedisError, OSError, TimeoutError)
_TIMEOUT = timedelta(milliseconds=500)


class SentinelPool(SentinelConnectionPool, BlockingConnectionPool):
    """A bounded pool of connections to the master that the Sentinels name; it owns those to them as well."""

    async def aclose(self) -> None:
        await super().aclose()
        await self.sentinel_manager.aclose()


def open_redis(url: str, *, max_connections: int = 8, timeout: timedelta = _TIMEOUT) -> Redis:
    """Make a client, which connects when it is first used. Whoever asks raises one of `REDIS_FAILURES`.

    `timeout` bounds each step by itself: a free connection, connecting, a write, an answer. Nothing is tried twice.
    """
    address = parse_redis_url(url)
    options: dict[str, Any] = {
        **_options(address, timeout),
        "username": address.username,
        "password": address.password,
        "db": address.database,
        "max_connections": max_connections,
        "timeout": timeout.total_seconds(),
    }
    if address.service is not None:
        connection = SentinelManagedSSLConnection if address.tls else SentinelManagedConnection
        sentinel = _sentinel(address, timeout)
        return Redis.from_pool(
            SentinelPool(address.service, sentinel, connection_class=connection, **options)  # type: ignore[no-untyped-call] # as redis-py ships it
        )
    if address.socket is not None:
        return Redis.from_pool(
            BlockingConnectionPool(connection_class=UnixDomainSocketConnection, path=address.socket, **options)
        )
    host, port = address.hosts[0]
    connection_class = SSLConnection if address.tls else Connection
    return Redis.from_pool(BlockingConnectionPool(connection_class=connection_class, host=host, port=port, **options))


def _sentinel(address: RedisAddress, timeout: timedelta) -> Sentinel:
    options = {
        **_options(address, timeout),
        "ssl": address.tls,
        # A Sentinel without a password refuses one: what Redis wants says nothing about what they want.
        "username": address.options.get("sentinel_username"),
        "password": address.options.get("sentinel_password"),
    }
    return Sentinel(address.hosts, sentinel_kwargs=options)  # type: ignore[no-untyped-call] # as redis-py ships it


def _options(address: RedisAddress, timeout: timedelta) -> dict[str, Any]:
    """Give what every connection has: short time-outs, no retries, and no question but AUTH and SELECT at its begin.

    By default redis-py tries ten times, and tells Redis about itself, which access lists would have to allow.
    """
    return {
        "socket_timeout": timeout.total_seconds(),
        "socket_connect_timeout": timeout.total_seconds(),
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
        "driver_info": None,
        **({"socket_keepalive": True} if address.socket is None else {}),
        **{name: value for name, value in address.options.items() if name.startswith("ssl_")},
    }
