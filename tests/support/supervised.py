"""`gateway serve` as people run it: a supervisor and its workers, in processes of their own."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aiohttp import ClientSession, DummyCookieJar, TCPConnector

from gateway.config.loading import load_settings
from gateway.config.secrets import load_secrets
from gateway.listening import bound_sockets
from gateway.workers import crew
from gateway.workers.configuration import Configuration
from gateway.workers.reloading import Reloading
from gateway.workers.supervisor import NoWorker, Supervisor
from tests.support.commands import FORKS, fork_command
from tests.support.gateway import ADMIN_EMAIL, ADMIN_PASSWORD, APP_URL
from tests.support.servers.processes import children_of
from tests.support.waiting import wait_until

_PATIENCE_SECONDS = 20


@dataclass(slots=True)
class Said:
    """The lines of one stream, as they come; `at`: how many of them a test has passed already."""

    lines: list[str] = field(default_factory=list)
    at: int = 0
    ended: bool = False
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, stream: asyncio.StreamReader) -> None:
        while line := await stream.readline():
            self.lines.append(line.decode().rstrip())
            self._news.set()
        self.ended = True
        self._news.set()

    async def next(self, *fragments: str) -> str:
        """Give the next line that holds all of these, and pass it and those before."""
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while True:
                while self.at < len(self.lines):
                    line = self.lines[self.at]
                    self.at += 1
                    if all(fragment in line for fragment in fragments):
                        return line
                assert not self.ended, self.lines
                self._news.clear()
                await self._news.wait()


@dataclass(frozen=True, slots=True)
class Supervised:
    """One that runs. Each request goes over a connection of its own: any worker may answer it."""

    process: BaseProcess
    out: Said
    log: Said
    client: ClientSession

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    @property
    def workers(self) -> list[int]:
        return children_of(self.pid)

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    async def ready(self) -> str:
        """Give the address that it says it listens on."""
        return (await self.out.next("Gateway listens on ")).split()[-1]

    async def event(self, name: str, **facts: object) -> dict[str, Any]:
        """Give the next line of the log that tells this."""
        while True:
            line: dict[str, Any] = json.loads(await self.log.next(f'"event": "{name}"'))
            if facts.items() <= line.items():
                return line

    async def ended(self) -> int:
        """Wait for the supervisor's end; gives its exit code."""
        await wait_for_ends([self.pid])
        await asyncio.to_thread(self.process.join)
        return self.process.exitcode or 0

    async def session(self, url: str) -> str:
        """Log in; gives the `Cookie` line."""
        body = {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}
        async with self.client.post(f"{url}/api/auth/login", json=body) as response:
            assert response.status == 200, await response.text()
            return f"gateway_session={response.cookies['gateway_session'].value}"

    async def checks(self, url: str, cookie: str, *, number: int = 1) -> list[int]:
        """Check so often at once; gives the statuses."""
        headers = {"X-Original-URL": APP_URL, "X-Original-Method": "GET", "Cookie": cookie}

        async def check() -> int:
            async with self.client.get(f"{url}/api/authz/auth-request", headers=headers) as response:
                await response.read()
                return response.status

        return await asyncio.gather(*(check() for _ in range(number)))


@asynccontextmanager
async def supervised(*options: str, environ: Mapping[str, str]) -> AsyncIterator[Supervised]:
    """Run `gateway serve` until the block ends."""
    with TemporaryDirectory(prefix="gateway-serve-") as folder:
        out, log = await _pipe(Path(folder) / "out"), await _pipe(Path(folder) / "err")
        (Path(folder) / "in").touch()
        process = fork_command("serve", *options, environ=environ, streams=Path(folder))
        connector = TCPConnector(force_close=True)
        said = Said(), Said()
        async with (
            ClientSession(cookie_jar=DummyCookieJar(), connector=connector) as client,
            asyncio.TaskGroup() as tasks,
        ):
            for one, stream in zip(said, (out, log), strict=True):
                tasks.create_task(one.take(stream))
            running = Supervised(process, *said, client)
            try:
                yield running
            finally:
                if process.is_alive():
                    # Two, so that nothing is waited for; and of two kinds, since two of one kind may arrive as one.
                    running.send(signal.SIGTERM)
                    running.send(signal.SIGINT)
                await running.ended()


async def wait_for_ends(pids: Iterable[int]) -> None:
    """Wait until none of these processes lives; they need not be children of ours."""
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            ended, _, _ = await asyncio.to_thread(select.select, [descriptor], [], [], _PATIENCE_SECONDS)
            assert ended, f"process {pid} lives on"
        finally:
            os.close(descriptor)


async def until_refused(gateway: Supervised, url: str, cookie: str) -> None:
    """Return when no worker lets it pass any more, which is promised within a second."""

    async def refused() -> bool:
        return set(await gateway.checks(url, cookie, number=16)) == {401}

    await wait_until(refused)


def supervise_broken_workers(
    environ: Mapping[str, str], work: Callable[[], None], *, meanwhile: Callable[[], object] = bool
) -> str:
    """Supervise workers that do this instead of serving, in a process of its own; gives what it gave up with."""
    here, there = FORKS.Pipe()
    process = FORKS.Process(target=_supervise_broken_workers, args=(dict(environ), work, meanwhile, there))
    process.start()
    there.close()
    said = str(here.recv())
    process.join()
    return said


def _supervise_broken_workers(
    environ: dict[str, str], broken: Callable[[], None], meanwhile: Callable[[], object], there: Connection
) -> None:
    crew._READY_WITHIN = timedelta(seconds=0.5)  # noqa: SLF001 - a test cannot wait as patiently
    settings = load_settings(None, (), environ).settings
    configuration = Configuration(settings, load_secrets(settings))

    def run(work: Coroutine[Any, Any, None]) -> None:
        if "prepare" not in getattr(work, "__qualname__", ""):
            work.close()
            broken()
        else:
            asyncio.run(work)

    reloading = Reloading(lambda: configuration, say=print)
    with bound_sockets(settings.listen, 2) as sockets:
        try:
            Supervisor(sockets, run=run, reloading=reloading, on_ready=print).run(configuration, meanwhile=meanwhile)
        except NoWorker as error:
            there.send(str(error).partition(";")[0])


async def _pipe(path: Path) -> asyncio.StreamReader:
    os.mkfifo(path)
    reader = asyncio.StreamReader()
    # The end that reads is opened first, and does not wait for who writes.
    file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb")
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), file)
    return reader
