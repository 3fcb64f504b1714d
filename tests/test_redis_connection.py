"""Connections to real Redis servers, of every kind that may be configured."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.redis_connection import REDIS_FAILURES, open_redis
from tests.support.certificate import self_signed_certificate
from tests.support.servers.processes import free_port
from tests.support.servers.redis import running_redis
from tests.support.servers.sentinel import running_sentinel
from tests.support.waiting import wait_until


@asynccontextmanager
async def opened(
    url: str, *, max_connections: int = 2, patience: timedelta = timedelta(seconds=1)
) -> AsyncIterator[Redis]:
    client = open_redis(url, max_connections=max_connections, timeout=patience)
    try:
        yield client
    finally:
        await client.aclose()


async def test_one_server_and_one_of_its_databases() -> None:
    with running_redis() as server:
        async with opened(server.url) as first, opened(server.url.removesuffix("0") + "1") as second:
            await first.set("name", "first")
            assert await second.get("name") is None
            assert await first.get("name") == b"first"


async def test_password_alone_and_user_with_password() -> None:
    with running_redis("--requirepass", "all@ours", "--user", "gateway", "on", ">it:s", "~*", "+@all") as server:
        address = f"127.0.0.1:{server.port}"
        async with opened(f"redis://:all%40ours@{address}") as ours, opened(f"redis://gateway:it:s@{address}") as its:
            assert await ours.acl_whoami() == "default"
            assert await its.acl_whoami() == "gateway"
        async with opened(f"redis://:wrong@{address}") as stranger:
            with pytest.raises(RedisError):
                await stranger.ping()


async def test_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "redis.sock"
    with running_redis("--unixsocket", str(path)):
        async with opened(f"unix://{path}?db=3") as client:
            await client.set("name", "value")
            assert (await client.info("keyspace"))["db3"]["keys"] == 1


async def test_tls_is_verified(tmp_path: Path) -> None:
    files, port = self_signed_certificate(tmp_path, "localhost"), free_port()
    tls = ("--tls-port", str(port), "--tls-cert-file", str(files.chain), "--tls-key-file", str(files.key))
    with running_redis(*tls, "--tls-auth-clients", "no"):
        async with opened(f"rediss://localhost:{port}?ssl_ca_certs={files.chain}") as client:
            assert await client.ping()
        for stranger in (f"rediss://localhost:{port}", f"rediss://127.0.0.1:{port}?ssl_ca_certs={files.chain}"):
            async with opened(stranger) as client:
                with pytest.raises(REDIS_FAILURES):
                    await client.ping()


async def test_many_questions_share_few_connections() -> None:
    with running_redis() as server:
        async with opened(server.url, max_connections=3) as client:
            assert await asyncio.gather(*(client.incr("count") for _ in range(100)))
            assert await client.get("count") == b"100"
            assert (await client.info("clients"))["connected_clients"] <= 3


async def test_questions_that_are_given_up_leave_the_connections_to_the_others() -> None:
    with running_redis() as server:
        async with opened(server.url) as client:
            for wait in range(20):
                questions = [asyncio.ensure_future(client.incr("count")) for _ in range(10)]
                await asyncio.sleep(wait / 10_000)
                for question in questions:
                    question.cancel()
                await asyncio.gather(*questions, return_exceptions=True)
            # An answer to somebody else's question would be a number.
            assert await asyncio.gather(*(client.echo(b"mine") for _ in range(10))) == [b"mine"] * 10


async def test_nothing_is_asked_but_what_it_is_opened_for() -> None:
    """Access lists need to allow no more, and a proxy before Redis to understand no more."""
    with running_redis() as server:
        async with opened(server.url.removesuffix("0") + "2") as client:
            await client.ping()
            asked, refused = await client.info("commandstats"), await client.info("errorstats")
    assert asked.keys() == {"cmdstat_select", "cmdstat_ping"}
    assert refused == {}


async def test_server_that_says_nothing_is_given_up_soon_and_not_tried_again() -> None:
    came = []

    async def say_nothing(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(writer)

    silent = await asyncio.start_server(say_nothing, "127.0.0.1", port := free_port())
    async with silent, opened(f"redis://127.0.0.1:{port}", patience=timedelta(milliseconds=100)) as client:
        async with asyncio.timeout(2):
            with pytest.raises(REDIS_FAILURES):
                await client.ping()
        assert len(came) == 1
        for writer in came:
            writer.close()


async def test_where_nobody_listens_is_given_up_at_once() -> None:
    async with opened(f"redis://127.0.0.1:{free_port()}", patience=timedelta(seconds=30)) as client:
        async with asyncio.timeout(2):
            with pytest.raises(REDIS_FAILURES):
                await client.ping()


async def test_connection_is_made_anew_after_a_restart() -> None:
    with running_redis() as server:
        async with opened(server.url) as client:
            await client.ping()
            await asyncio.to_thread(server.stop)
            await asyncio.to_thread(server.start)
            assert await client.ping()


async def test_sentinel_names_the_next_master(tmp_path: Path) -> None:
    with running_sentinel(tmp_path) as watched:
        async with opened(watched.url, patience=timedelta(milliseconds=200)) as client:
            assert await asyncio.gather(*(client.incr("count") for _ in range(20)))
            await asyncio.to_thread(watched.master.stop)
            await wait_until(lambda: _takes_writes(client), seconds=10)
            assert (await client.info("server"))["tcp_port"] == watched.replica.port


async def test_sentinels_that_are_away_are_passed_over(tmp_path: Path) -> None:
    with running_sentinel(tmp_path) as watched:
        several = watched.url.replace("://", f"://127.0.0.1:{free_port()},")
        async with opened(several) as client:
            assert await client.ping()
            await asyncio.to_thread(watched.sentinel.stop)
            # Who is connected needs nobody to ask for the way.
            assert await client.ping()


async def _takes_writes(client: Redis) -> bool:
    try:
        return bool(await client.set("name", "value"))
    except REDIS_FAILURES:
        return False
