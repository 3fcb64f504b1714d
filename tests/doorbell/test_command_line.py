"""A command that revokes rings for the gateways that are running."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.commands import ringing
from gateway.config.loading import load_settings
from gateway.doorbell.doorbell import Doorbell
from gateway.storage.database import Database
from tests.support.commands import run_gateway
from tests.support.database import append
from tests.support.gateway import ADMIN_EMAIL, environment, start_gateway
from tests.support.migrated import database_file, lay_migrated_file
from tests.support.servers.redis import RedisServer, running_redis
from tests.support.waiting import until


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


@asynccontextmanager
async def _heard(redis: RedisServer) -> AsyncIterator[list[str]]:
    doorbell, heard = Doorbell(redis.url), list[str]()

    async def read_log() -> None:
        pass

    listening = asyncio.create_task(doorbell.listen(hear=heard.append, read_log=read_log))
    await until(lambda: doorbell.connected)
    yield heard
    listening.cancel()
    await asyncio.wait([listening])
    await doorbell.close()


@pytest.fixture
async def data_dir(tmp_path: Path) -> Path:
    async with start_gateway(environment(tmp_path)) as gateway:
        await gateway.session()
    return tmp_path


async def test_ended_session_and_banned_address_ring(data_dir: Path, redis: RedisServer) -> None:
    environ = environment(data_dir, REDIS_URL=redis.url)
    async with _heard(redis) as heard:
        assert (await run_gateway("session", "end-all", ADMIN_EMAIL, "--yes", environ=environ)).code == 0
        await until(lambda: len(heard) == 1)
        assert heard[0].startswith("account:")
        assert (await run_gateway("ban", "192.0.2.7", environ=environ)).code == 0
        await until(lambda: len(heard) == 2)
        assert heard[1] == "address:192.0.2.7"
        assert (await run_gateway("session", "list", environ=environ)).code == 0
        assert len(heard) == 2


async def test_more_than_a_few_entries_ring_as_one_that_concerns_everything(
    tmp_path: Path, redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ringing, "_MOST", 2)
    settings = load_settings(None, (), environment(tmp_path, REDIS_URL=redis.url)).settings
    lay_migrated_file(database_file(settings))
    async with _heard(redis) as heard, Database.opened(settings.database) as database:
        for number in (2, 3):
            async with ringing.ringing(settings, database):
                await append(database, *["account:1"] * number)
        await until(lambda: heard == ["account:1", "account:1", "*"])


async def test_redis_that_is_away_is_nothing_to_a_command(data_dir: Path) -> None:
    environ = environment(data_dir, REDIS_URL="redis://127.0.0.1:1/0")
    finished = await run_gateway("session", "end-all", ADMIN_EMAIL, "--yes", environ=environ)
    assert (finished.code, "edis" in finished.err) == (0, False)
