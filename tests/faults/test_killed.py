"""`kill -9`: what was answered before it, holds after it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from aiohttp import ClientError

from tests.support.gateway import environment
from tests.support.migrated import lay_migrated_file
from tests.support.supervised import Supervised, supervised

PEOPLE = 16
KILLED_AFTER = 60


@asynccontextmanager
async def _serving(folder: Path) -> AsyncIterator[tuple[Supervised, str]]:
    lay_migrated_file(folder / "gateway.db")
    async with supervised(environ=environment(folder)) as gateway:
        yield gateway, await gateway.ready()


async def test_every_answered_login_still_has_its_session(tmp_path: Path) -> None:
    answered: list[str] = []

    async with _serving(tmp_path) as (gateway, url):

        async def log_in_again_and_again() -> None:
            with suppress(ClientError):
                while True:
                    answered.append(await gateway.session(url))
                    if len(answered) == KILLED_AFTER:
                        _kill(gateway)

        await asyncio.gather(*(log_in_again_and_again() for _ in range(PEOPLE)))
    assert len(answered) >= KILLED_AFTER

    async with _serving(tmp_path) as (gateway, url):
        statuses = [await gateway.checks(url, cookie) for cookie in answered]
    assert statuses == [[200]] * len(answered)


async def test_an_answered_logout_holds(tmp_path: Path) -> None:
    async with _serving(tmp_path) as (gateway, url):
        ended, kept = await gateway.session(url), await gateway.session(url)
        async with gateway.client.post(f"{url}/api/auth/logout", headers={"Cookie": ended}) as response:
            assert response.status == 200
        _kill(gateway)

    async with _serving(tmp_path) as (gateway, url):
        assert await gateway.checks(url, ended) == [401]
        assert await gateway.checks(url, kept) == [200]


def _kill(gateway: Supervised) -> None:
    """All of it at once, as a power cut does; the supervisor last, for its workers would be told of its end."""
    for pid in (*gateway.workers, gateway.pid):
        os.kill(pid, signal.SIGKILL)
