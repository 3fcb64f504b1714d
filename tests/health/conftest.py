"""Two gateways over one PostgreSQL and one Redis, and what a network does between the second one and them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.gateway import Gateway, LoggedIn, environment, start_gateway
from tests.support.servers.postgresql import PostgresqlProcess
from tests.support.servers.redis import RedisServer, running_redis
from tests.support.servers.relay import Relay, running_relay


@dataclass(frozen=True, slots=True)
class Pair:
    """`there` reaches its servers over relays only. `session` is known to both."""

    here: Gateway
    there: Gateway
    to_database: Relay
    to_redis: Relay
    session: LoggedIn

    async def status(self) -> int:
        """Give what a check of the session is answered there."""
        response = await self.there.check(Cookie=self.session.cookie)
        await response.read()
        assert "Set-Cookie" not in response.headers
        return response.status

    async def log_out(self) -> None:
        response = await self.here.ask("/api/auth/logout", method="POST", Cookie=self.session.cookie)
        assert response.status == 200


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


@asynccontextmanager
async def start_pair(
    folder: Path, postgresql: PostgresqlProcess, redis: RedisServer, *, grace: str
) -> AsyncIterator[Pair]:
    url = postgresql.new_database()
    async with running_relay(postgresql.port) as to_database, running_relay(redis.port) as to_redis:
        shared = {"OUTAGE_GRACE": grace}
        here = environment(folder, DATABASE_URL=url, REDIS_URL=redis.url, **shared)
        there = environment(
            folder,
            DATABASE_URL=url.replace(f":{postgresql.port}/", f":{to_database.port}/"),
            REDIS_URL=redis.url.replace(f":{redis.port}/", f":{to_redis.port}/"),
            **shared,
        )
        async with start_gateway(here) as first, start_gateway(there) as second:
            pair = Pair(first, second, to_database, to_redis, await first.session())
            assert await pair.status() == 200
            try:
                yield pair
            finally:
                await to_database.pass_on()
                await to_redis.pass_on()


@pytest.fixture
async def pair(tmp_path: Path, postgresql: PostgresqlProcess, redis: RedisServer) -> AsyncIterator[Pair]:
    async with start_pair(tmp_path, postgresql, redis, grace="60s") as pair:
        yield pair
