"""A gateway that was stopped and continued: its first check already knows what was revoked meanwhile."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.gateway import environment, start_gateway
from tests.support.supervised import Supervised, supervised

pytestmark = pytest.mark.both_databases

# Longer than facts count without another look at the log.
PAUSE_SECONDS = 1.5


@contextmanager
def _stopped(gateway: Supervised) -> Iterator[None]:
    """Let no process of it go on before the block ends."""
    processes = (gateway.pid, *gateway.workers)
    for one in processes:
        os.kill(one, signal.SIGSTOP)
    try:
        yield
    finally:
        for one in processes:
            os.kill(one, signal.SIGCONT)


@pytest.mark.usefixtures("gateways_database")
async def test_stopped_process_refuses_at_its_first_check_what_was_revoked_meanwhile(tmp_path: Path) -> None:
    """A7."""
    async with start_gateway(environment(tmp_path)) as here, supervised(environ=environment(tmp_path)) as there:
        url = await there.ready()
        revoked, kept = [(await here.session()).cookie for _ in range(2)]
        assert [await there.checks(url, cookie) for cookie in (revoked, kept)] == [[200], [200]]
        with _stopped(there):
            assert (await here.ask("/api/auth/logout", method="POST", Cookie=revoked)).status == 200
            await asyncio.sleep(PAUSE_SECONDS)
            first = asyncio.create_task(there.checks(url, revoked))
            await asyncio.sleep(0.1)
            assert not first.done()
        assert await first == [401]
        assert await there.checks(url, kept) == [200]
