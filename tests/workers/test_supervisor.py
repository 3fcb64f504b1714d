"""Workers that are ready, die, are replaced, and end."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.support.commands import run_gateway
from tests.support.gateway import environment
from tests.support.kept_connection import KeptConnection
from tests.support.migrated import lay_migrated_file
from tests.support.servers.postgresql import PostgresqlProcess
from tests.support.servers.processes import free_port
from tests.support.supervised import Supervised, supervise_broken_workers, supervised, until_refused, wait_for_ends


@asynccontextmanager
async def _running(folder: Path, *options: str, **more: str) -> AsyncIterator[tuple[Supervised, str]]:
    lay_migrated_file(folder / "gateway.db")
    async with supervised(*options, environ=environment(folder, **more)) as gateway:
        yield gateway, await gateway.ready()


@pytest.mark.both_databases
@pytest.mark.usefixtures("gateways_database")
async def test_workers_hear_of_each_others_revocations(tmp_path: Path) -> None:
    async with _running(tmp_path, "--workers", "2") as (gateway, url):
        cookie = await gateway.session(url)
        assert await gateway.checks(url, cookie, number=16) == [200] * 16
        async with gateway.client.post(f"{url}/api/auth/logout", headers={"Cookie": cookie}) as response:
            assert response.status == 200
        await until_refused(gateway, url, cookie)


async def test_dead_worker_is_replaced_and_another_one_serves_meanwhile(tmp_path: Path) -> None:
    async with _running(tmp_path, "--workers", "2") as (gateway, url):
        cookie = await gateway.session(url)
        first, second = await gateway.event("worker_ready"), await gateway.event("worker_ready")
        dying, other, pid = first["worker"], second["worker"], first["pid"]
        # At once after the first death, and with a pause after those that follow soon.
        for _ in range(4):
            os.kill(pid, signal.SIGKILL)
            await gateway.event("worker_ended", worker=dying, code=-signal.SIGKILL)
            assert await gateway.checks(url, cookie, number=8) == [200] * 8
            pid = (await gateway.event("worker_ready", worker=dying))["pid"]
        assert await gateway.checks(url, cookie, number=16) == [200] * 16
        assert [line for line in gateway.log.lines if '"adopt_slot"' in line and f'"worker": {other}' in line]


async def test_worker_that_cannot_be_started_takes_none_of_the_others_with_it(tmp_path: Path) -> None:
    async with _running(tmp_path, "--workers", "2") as (gateway, url):
        cookie = await gateway.session(url)
        first, second = await gateway.event("worker_ready"), await gateway.event("worker_ready")
        before = resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE, (5, before[1]))
        os.kill(first["pid"], signal.SIGKILL)
        await gateway.event("worker_not_started", worker=first["worker"])
        gateway.send(signal.SIGHUP)
        assert await gateway.checks(url, cookie, number=8) == [200] * 8
        assert gateway.workers == [second["pid"]]
        resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE, before)
        await gateway.event("worker_ready", worker=first["worker"])
        await gateway.out.next("The configuration was reloaded")
        assert await gateway.checks(url, cookie, number=8) == [200] * 8


async def test_stop_lets_requests_in_flight_finish_and_tells_clients_that_ask_once_more(tmp_path: Path) -> None:
    async with (
        _running(tmp_path) as (gateway, url),
        KeptConnection.open(url) as kept,
        KeptConnection.open(url) as slow,
    ):
        assert b"Connection: close" not in await kept.ask()
        await slow.begin()
        gateway.send(signal.SIGTERM)
        # Nobody is accepted any more, which is how we know that it was heard.
        await kept.until_refused()
        answer = await kept.ask()
        assert answer.startswith(b"HTTP/1.1 200")
        assert b"Connection: close" in answer
        answer = await slow.finish()
        assert answer.startswith(b"HTTP/1.1 401")
        assert b"Connection: close" in answer
        assert await gateway.ended() == 0


async def test_connection_that_says_nothing_holds_up_no_stop(tmp_path: Path) -> None:
    async with _running(tmp_path) as (gateway, url), KeptConnection.open(url) as kept:
        await kept.ask()
        gateway.send(signal.SIGINT)
        assert await gateway.ended() == 0
        assert await kept.is_closed()


async def test_worker_that_is_told_to_end_is_replaced_before_it_has(tmp_path: Path) -> None:
    async with _running(tmp_path) as (gateway, url), KeptConnection.open(url) as slow:
        await slow.begin()
        leaving = (await gateway.event("worker_ready"))["pid"]
        os.kill(leaving, signal.SIGTERM)
        assert (await gateway.event("worker_ready"))["pid"] != leaving
        assert leaving in gateway.workers
        assert (await slow.finish()).startswith(b"HTTP/1.1 401")
        await gateway.event("worker_ended", pid=leaving, code=0)


async def test_workers_end_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    async with _running(tmp_path, "--workers", "2") as (gateway, _):
        workers = gateway.workers
        assert len(workers) == 2
        gateway.send(signal.SIGKILL)
        await wait_for_ends(workers)


async def test_second_signal_waits_for_nobody(tmp_path: Path) -> None:
    async with _running(tmp_path) as (gateway, url), KeptConnection.open(url) as slow:
        await slow.begin()
        gateway.send(signal.SIGTERM)
        await slow.until_refused()
        # One that comes at once is the same wish, told twice.
        gateway.send(signal.SIGTERM)
        await asyncio.sleep(1.1)
        assert gateway.workers
        gateway.send(signal.SIGTERM)
        await gateway.ended()
        assert await slow.is_closed()
    assert [line for line in gateway.log.lines if '"stopped_at_once"' in line]


async def test_port_of_another_gateway_is_not_shared_with_it(tmp_path: Path) -> None:
    async with _running(tmp_path / "one", "--workers", "2") as (_, url):
        environ = environment(tmp_path / "two", GATEWAY_LISTEN=url.removeprefix("http://"))
        refused = await run_gateway("serve", "--workers", "2", environ=environ)
    assert refused.code == 1
    assert "address already in use. Choose another address with GATEWAY_LISTEN" in refused.err


def fail() -> None:
    message = "a worker that cannot"
    raise RuntimeError(message)


def hang() -> None:
    signal.sigwait([])


@pytest.mark.parametrize("work", [fail, hang])
async def test_workers_that_never_serve_end_the_gateway_with_the_reason(
    tmp_path: Path, work: Callable[[], None]
) -> None:
    lay_migrated_file(tmp_path / "gateway.db")
    said = await asyncio.to_thread(supervise_broken_workers, environment(tmp_path), work)
    assert said == "no worker could start"


def fail_after_a_look_at(shared: Path) -> None:
    shared.with_name("seen").write_text(str(shared.exists()))
    fail()


async def test_what_workers_share_is_made_before_the_first_of_them(tmp_path: Path) -> None:
    lay_migrated_file(tmp_path / "gateway.db")
    shared = tmp_path / "shared"
    work = partial(fail_after_a_look_at, shared)
    await asyncio.to_thread(supervise_broken_workers, environment(tmp_path), work, meanwhile=shared.touch)
    assert (tmp_path / "seen").read_text() == "True"


async def test_refused_preparation_is_said_once_and_ends_the_gateway(tmp_path: Path) -> None:
    await run_gateway("bootstrap", environ=environment(tmp_path))
    ended = await run_gateway("serve", "--workers", "4", environ=environment(tmp_path, AUTH_TYPE="none"))
    assert ended.code == 1
    assert ended.err.count("An installation stays what it was made as") == 1
    assert "Traceback" not in ended.err


async def test_database_that_starts_later_is_waited_for(tmp_path: Path, postgresql: PostgresqlProcess) -> None:
    """Compose files start everything at once."""
    url = postgresql.new_database()
    postgresql.stop()
    async with supervised(environ=environment(tmp_path, DATABASE_URL=url)) as gateway:
        try:
            waiting = await gateway.log.next("Waiting for the database (up to 1m): ")
        finally:
            postgresql.start()
        assert "postgres@" not in waiting
        address = await gateway.ready()
        assert await gateway.checks(address, await gateway.session(address)) == [200]


async def test_log_lines_name_their_worker(tmp_path: Path) -> None:
    async with _running(tmp_path, "--workers", "2") as (gateway, url):
        await gateway.session(url)
        assert (await gateway.event("login_succeeded"))["worker"] in {1, 2}


async def test_name_with_several_addresses_is_served_on_each(tmp_path: Path) -> None:
    families = {where[0] for where in socket.getaddrinfo("localhost", None, type=socket.SOCK_STREAM)}
    port = free_port()
    async with _running(tmp_path, GATEWAY_LISTEN=f"localhost:{port}"):
        for family in families:
            with socket.socket(family) as client:
                client.connect(("localhost", port))
