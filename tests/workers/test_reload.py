"""SIGHUP: the configuration is read anew, and taken whole or not at all."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession, DummyCookieJar, TCPConnector

from tests.support.gateway import APP_URL, environment
from tests.support.migrated import lay_migrated_file
from tests.support.supervised import Supervised, supervised

OPEN = """\
access_control:
  rules:
    - domain: app.example.com
      policy: one_factor
"""
CLOSED = OPEN.replace("one_factor", "deny")
_RATE = 300


@asynccontextmanager
async def _running(folder: Path, *options: str, **more: str) -> AsyncIterator[tuple[Supervised, str, Path]]:
    lay_migrated_file(folder / "gateway.db")
    file = folder / "gateway.yaml"
    file.write_text(OPEN)
    async with supervised("--config", str(file), *options, environ=environment(folder, **more)) as gateway:
        yield gateway, await gateway.ready(), file


async def test_reload_brings_new_rules_to_every_worker(tmp_path: Path) -> None:
    async with _running(tmp_path, "--workers", "2") as (gateway, url, file):
        cookie = await gateway.session(url)
        assert set(await gateway.checks(url, cookie, number=8)) == {200}
        file.write_text(CLOSED)
        # The second and third come while the first one works, and are one.
        for _ in range(3):
            gateway.send(signal.SIGHUP)
        await gateway.out.next("The configuration was reloaded.")
        assert set(await gateway.checks(url, cookie, number=8)) == {403}


async def test_configuration_that_is_not_good_leaves_the_running_one(tmp_path: Path) -> None:
    """N4. One process for all of them: each refusal is of no consequence for the next."""
    refusals = {
        "": "is empty",
        "access_control: [": "gateway.yaml:1",
        OPEN[: OPEN.index("domain")]: "gateway.yaml:3: access_control.rules[1]",
        OPEN + "speling: 1\n": "gateway.yaml:5: speling",
        "site_name: Half a file\n": "the rules are gone",
        OPEN + "database_url: sqlite:///other.db\n": "database_url: a reload cannot change it",
        OPEN + "workers: 3\n": "workers: a reload cannot change it from 1 to 3",
        OPEN + "auth_type: none\n": "An installation stays what it was made as",
        OPEN.replace(
            "rules:", f"tests: [{{ask: 'GET {APP_URL}', as: 'group:users', expect: deny}}]\n  rules:"
        ): "tests[1]",
    }
    async with _running(tmp_path) as (gateway, url, file):
        cookie, workers = await gateway.session(url), gateway.workers
        for written, reason in refusals.items():
            file.write_text(written)
            gateway.send(signal.SIGHUP)
            await gateway.out.next("The configuration was not reloaded; the running one stays:")
            assert reason in await gateway.out.next(reason)
            assert reason in (await gateway.event("configuration_refused"))["reason"]
        file.unlink()
        gateway.send(signal.SIGHUP)
        await gateway.out.next("gateway.yaml", "cannot be read")
        assert gateway.workers == workers
        assert await gateway.checks(url, cookie) == [200]
        file.write_text(CLOSED)
        gateway.send(signal.SIGHUP)
        await gateway.out.next("The configuration was reloaded.")
        assert await gateway.checks(url, cookie) == [403]


@pytest.mark.parametrize("option", ["env_file", "secret_file"])
async def test_other_sources_are_read_anew_as_well(tmp_path: Path, option: str) -> None:
    variables, secret = tmp_path / "more.env", tmp_path / "jwt"
    variables.write_text("GATEWAY_SITE_NAME=Before\n")
    secret.write_text("the first of two long secrets!!!")
    options = ("--env-file", str(variables))
    async with _running(tmp_path, *options, BASIC_AUTH_JWT_SECRET_FILE=str(secret)) as (gateway, url, _):
        cookie = await gateway.session(url)
        if option == "env_file":
            variables.write_text("GATEWAY_COOKIE_DOMAIN=nowhere.invalid\n")
            expected, status = "not reloaded", 200
        else:
            secret.write_text("the second of two long secrets!!")
            expected, status = "was reloaded", 401
        gateway.send(signal.SIGHUP)
        await gateway.out.next(expected)
        assert await gateway.checks(url, cookie) == [status]


async def test_no_request_is_lost_while_workers_are_replaced(tmp_path: Path) -> None:
    """Over connections that are kept, as a proxy keeps them, with nothing that would ask again."""
    async with _running(tmp_path, "--workers", "2") as (gateway, url, _):
        cookie = await gateway.session(url)
        headers = {"X-Original-URL": APP_URL, "X-Original-Method": "GET", "Cookie": cookie}
        connector = TCPConnector(limit=16)
        statuses: list[int] = []

        async def check(client: ClientSession) -> None:
            # Of a POST aiohttp's client sends nothing twice, and the check takes any method.
            async with client.post(f"{url}/api/authz/auth-request", headers=headers) as response:
                await response.read()
                statuses.append(response.status)

        async def reload() -> None:
            for _ in range(2):
                gateway.send(signal.SIGHUP)
                await gateway.event("configuration_reloaded")

        async with (
            ClientSession(cookie_jar=DummyCookieJar(), connector=connector) as client,
            asyncio.TaskGroup() as all_,
        ):
            reloading = all_.create_task(reload())
            began, asked = asyncio.get_running_loop().time(), 0
            while not reloading.done() or asked < _RATE:
                await asyncio.sleep(max(0.0, began + asked / _RATE - asyncio.get_running_loop().time()))
                all_.create_task(check(client))
                asked += 1
        assert statuses == [200] * asked
