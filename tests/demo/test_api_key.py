"""The API key of LibreChat's documentation, through a real nginx, to the demo application."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, DummyCookieJar

from tests.support.commands import run_gateway
from tests.support.demo import Demo, start_demo

COMPLETIONS = "/api/agents/v1/chat/completions"
ANN = "ann@example.com"
PASSWORD = "anns own password"


async def test_key_opens_what_it_is_for_and_ends_within_a_second(tmp_path: Path) -> None:
    """K3: refused outside its scope, after expiry, after deletion, and after its owner is disabled; no restart."""
    async with start_demo(tmp_path) as demo, ClientSession(cookie_jar=DummyCookieJar()) as client:
        environ = {"GATEWAY_DATA_DIR": str(tmp_path)}
        person = ("user", "add", "--email", ANN, "--name", "Ann", "--password-stdin")
        assert (await run_gateway(*person, environ=environ, stdin=PASSWORD)).code == 0
        program = _Program(demo, client)
        await program.log_in()

        key = await program.make_key(scopes=[{"path": "/api/agents/**"}])
        assert await program.use(key["key"]) == 200
        assert await program.use(key["key"], "/api/convos") == 403
        assert await program.delete(key["id"]) == 204
        assert await program.use(key["key"]) == 401

        soon = (datetime.now(UTC) + timedelta(seconds=2)).isoformat()
        brief = await program.make_key(expiresAt=soon)
        assert await program.use(brief["key"]) == 200
        await program.wait_until_refused(brief["key"], within=timedelta(seconds=3))

        lasting = await program.make_key()
        assert await program.use(lasting["key"]) == 200
        assert (await run_gateway("user", "disable", ANN, environ=environ)).code == 0
        await program.wait_until_refused(lasting["key"], within=timedelta(seconds=1))


class _Program:
    """What `curl` would do."""

    def __init__(self, demo: Demo, client: ClientSession) -> None:
        self._demo = demo
        self._client = client
        self._bearer: dict[str, str] = {}

    async def log_in(self) -> None:
        body = {"email": ANN, "password": PASSWORD}
        response = await self._client.post(f"{self._demo.portal}/api/auth/login", json=body)
        self._bearer = {"Authorization": f"Bearer {(await response.json())['token']}"}

    async def make_key(self, **body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        url = f"{self._demo.portal}/api/api-keys"
        response = await self._client.post(url, json={"name": "My Integration", **body}, headers=self._bearer)
        assert response.status == 201, await response.text()
        made: dict[str, Any] = await response.json()
        return made

    async def delete(self, key_id: str) -> int:
        url = f"{self._demo.portal}/api/api-keys/{key_id}"
        return (await self._client.delete(url, headers=self._bearer)).status

    async def use(self, key: str, path: str = COMPLETIONS) -> int:
        headers = {"Authorization": f"Bearer {key}"}
        return (await self._client.get(self._demo.application + path, headers=headers)).status

    async def wait_until_refused(self, key: str, *, within: timedelta) -> None:
        # The bound that is promised; polling ends with the first refusal.
        async with asyncio.timeout(within.total_seconds()):
            while (status := await self.use(key)) == 200:  # noqa: ASYNC110 - another process acts
                await asyncio.sleep(0.02)
        assert status == 401
