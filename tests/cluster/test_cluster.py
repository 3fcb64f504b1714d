"""`make cluster` as a visitor and an operator meet it."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import pytest
from aiohttp import ClientSession, CookieJar, DummyCookieJar

from gateway.demo.nginx import listen_on_loopback
from tests.cluster.running import ClusterFailed, require_programs, running_cluster
from tests.support.gateway import APP_URL
from tests.support.servers.processes import free_port
from tests.support.waiting import wait_until

pytestmark = pytest.mark.long

_PROJECT = Path(__file__).parent.parent.parent


@dataclass(frozen=True, slots=True)
class Started:
    """What the program printed."""

    application: str
    portal: str
    login: dict[str, str]
    gateways: list[tuple[str, int]]


@asynccontextmanager
async def started() -> AsyncIterator[Started]:
    """Run the program until the block ends; then Ctrl-C ends it, cleanly."""
    ports = ("--port", str(free_port()), "--portal-port", str(free_port()))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.cluster", *ports), cwd=_PROJECT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            said = (await process.stdout.readuntil(b"Ctrl-C ends the cluster.")).decode()
        found = dict(re.findall(r"^(Application|Portal|Administrator|Password): (\S+)", said, re.MULTILINE))
        gateways = re.findall(r"^Gateway \d: (\S+) \(process (\d+)\)", said, re.MULTILINE)
        yield Started(
            found["Application"],
            found["Portal"],
            {"email": found["Administrator"], "password": found["Password"]},
            [(url, int(pid)) for url, pid in gateways],
        )
    finally:
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(60):
            await process.communicate()
    assert process.returncode == 0


async def log_in(client: ClientSession, cluster: Started) -> str:
    """Log in at the portal; gives the session's cookie line."""
    answer = await client.post(f"{cluster.portal}/api/auth/login", json=cluster.login)
    assert answer.status == HTTPStatus.OK
    return f"gateway_session={answer.cookies['gateway_session'].value}"


async def check(client: ClientSession, gateway: str, cookie: str) -> int:
    headers = {"X-Original-URL": APP_URL, "X-Original-Method": "GET", "Cookie": cookie}
    return (await client.get(f"{gateway}/api/authz/auth-request", headers=headers)).status


async def test_two_gateways_behind_nginx_are_one_and_one_may_die() -> None:
    async with started() as cluster, ClientSession(cookie_jar=CookieJar(unsafe=True)) as client:
        page = {"Accept": "text/html"}
        stranger = await client.get(cluster.application, headers=page, allow_redirects=False)
        assert stranger.headers["Location"].startswith(f"{cluster.portal}/login?rd=")

        await log_in(client, cluster)
        shown = await (await client.get(f"{cluster.application}/headers")).json()
        assert ["Remote-User", cluster.login["email"]] in shown["headers"]
        assert "gateway_session" not in str(shown)

        (one, one_process), (other, _) = cluster.gateways
        async with ClientSession(cookie_jar=DummyCookieJar()) as neutral:
            leaving = await log_in(neutral, cluster)
            assert [await check(neutral, gateway, leaving) for gateway in (one, other)] == [200, 200]
            await neutral.post(f"{one}/api/auth/logout", headers={"Cookie": leaving})

            async def refused() -> bool:
                return await check(neutral, other, leaving) == HTTPStatus.UNAUTHORIZED

            await wait_until(refused)

        os.kill(one_process, signal.SIGKILL)
        statuses = [(await client.get(f"{cluster.application}/members", headers=page)).status for _ in range(30)]
        assert statuses == [HTTPStatus.OK] * len(statuses)


async def test_taken_port_is_named_with_its_cure() -> None:
    with listen_on_loopback(0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ClusterFailed, match=f"Port {port} cannot be used"):
            await running_cluster(port=port, portal_port=free_port(), say=print).__aenter__()


def test_missing_programs_are_named_with_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("gateway.demo.nginx._USUAL_PLACES", "/nowhere")
    with pytest.raises(ClusterFailed, match=r"apt-get install nginx-light .*redis-server"):
        require_programs()
