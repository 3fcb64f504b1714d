"""`kill -9`: what was answered before it, holds after it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from aiohttp import ClientError, ClientSession, DummyCookieJar

from tests.support.commands import start_command
from tests.support.gateway import ADMIN_EMAIL, ADMIN_PASSWORD, APP_URL, environment

LOGINS = 200
KILLED_AFTER = 60


@asynccontextmanager
async def _serving(folder: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    process = await start_command("serve", environ=environment(folder))
    assert process.stdout is not None
    try:
        async with asyncio.timeout(20):
            while True:
                line = (await process.stdout.readline()).decode()
                assert line, "the gateway ended before it listened"
                if line.startswith("Gateway listens on "):
                    break
        yield process, line.split()[-1]
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def test_every_answered_login_still_has_its_session(tmp_path: Path) -> None:
    answered: list[str] = []

    async with _serving(tmp_path) as (process, url), ClientSession(cookie_jar=DummyCookieJar()) as client:

        async def log_in() -> None:
            body = {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}
            with suppress(ClientError):
                response = await client.post(f"{url}/api/auth/login", json=body)
                answered.append(response.cookies["gateway_session"].value)
                if len(answered) == KILLED_AFTER:
                    process.send_signal(signal.SIGKILL)

        await asyncio.gather(*[log_in() for _ in range(LOGINS)])
    assert KILLED_AFTER <= len(answered) < LOGINS

    async with _serving(tmp_path) as (_, url), ClientSession(cookie_jar=DummyCookieJar()) as client:
        statuses = {await _check(client, url, token) for token in answered}
    assert statuses == {200}


async def test_an_answered_logout_holds(tmp_path: Path) -> None:
    async with _serving(tmp_path) as (process, url), ClientSession(cookie_jar=DummyCookieJar()) as client:
        body = {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}
        tokens = []
        for _ in range(2):
            response = await client.post(f"{url}/api/auth/login", json=body)
            tokens.append(response.cookies["gateway_session"].value)
        ended, kept = tokens
        cookie = {"Cookie": f"gateway_session={ended}"}
        assert (await client.post(f"{url}/api/auth/logout", headers=cookie)).status == 200
        process.send_signal(signal.SIGKILL)
        await process.wait()

    async with _serving(tmp_path) as (_, url), ClientSession(cookie_jar=DummyCookieJar()) as client:
        assert await _check(client, url, ended) == 401
        assert await _check(client, url, kept) == 200


async def _check(client: ClientSession, url: str, token: str) -> int:
    headers = {
        "X-Original-URL": APP_URL,
        "X-Original-Method": "GET",
        "Cookie": f"gateway_session={token}",
    }
    return (await client.get(f"{url}/api/authz/auth-request", headers=headers)).status
