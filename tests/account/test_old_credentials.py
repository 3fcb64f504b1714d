"""What was stolen while a password was enough stays worth what it was, and ends when it ends."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from yarl import URL

from tests.support.gateway import environment, start_gateway
from tests.support.second_factor import ask_api, begin, enrol, finish, half_log_in
from tests.support.throttled import stopped_clock

__all__ = ["stopped_clock"]

_RULES = "access_control:\n  default_policy: two_factor\n"


async def test_access_token_from_before_an_enrolment_does_not_become_one_of_two_factors(tmp_path: Path) -> None:
    """S2, M5: the session goes on with two factors, a copy of its old access token with one."""
    config = tmp_path / "gateway.yaml"
    config.write_text(_RULES)
    async with start_gateway(environment(tmp_path), config=config) as gateway:
        session = await gateway.session()
        app = await begin(gateway, session)
        assert (await ask_api(gateway, "confirm", {"token": app.code()}, session=session)).status == 200
        assert (await gateway.check(Authorization=session.bearer)).headers["X-Auth-Reason"] == "second_factor_required"
        assert (await ask_api(gateway, "backup/regenerate", session=session)).status == 400


async def test_session_that_ended_while_its_request_was_sent_makes_no_key(tmp_path: Path) -> None:
    """S3: a body that comes after the end of its session is too late."""
    async with start_gateway(environment(tmp_path)) as gateway:
        thief, owner = await gateway.session(), await gateway.session()
        address, body = URL(gateway.url), json.dumps({"name": "late"}).encode()
        reader, writer = await asyncio.open_connection(address.host, address.port)
        head = f"POST /api/api-keys HTTP/1.1\r\nHost: {address.host}\r\nAuthorization: {thief.bearer}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + body[:1])
        await writer.drain()
        # Its answer comes after the head above was read: both wait for the one event loop, in this order.
        assert (await gateway.ask("/api/user", Authorization=thief.bearer)).status == 200
        headers = {"Authorization": owner.bearer}
        await gateway.client.post(f"{gateway.url}/api/auth/sessions/revoke-others", headers=headers)
        writer.write(body[1:])
        answer = await reader.read()
        writer.close()
        assert answer.startswith(b"HTTP/1.1 401"), answer
        keys = await gateway.ask("/api/api-keys", Authorization=owner.bearer)
        assert await keys.json() == []


async def test_devices_from_before_an_enrolment_have_no_tries_of_their_own(
    tmp_path: Path,
    stopped_clock: object,  # noqa: ARG001 - a pause must not be over before it is looked at
) -> None:
    """M2: whoever logged in ten times with a stolen password has ten known devices, and no more tries than others."""
    async with start_gateway(environment(tmp_path, TWO_FACTOR_TEMP_MAX="1000")) as gateway:
        devices = [(await gateway.log_in()).cookies["gateway_device"] for _ in range(10)]
        app = (await enrol(gateway)).app
        statuses = []
        for number, device in enumerate(devices):
            sent = {"Cookie": f"{device.key}={device.value}"}
            temp_token = await half_log_in(gateway, **sent)
            statuses.append((await finish(gateway, temp_token, app.wrong_code(number), **sent)).status)
        assert statuses == [401] * 5 + [429] * 5


async def test_nobody_keeps_others_waiting_for_their_recovery_codes(tmp_path: Path) -> None:
    """L8: each set is ten slow hashes, and an account gets one at a time."""
    async with start_gateway(environment(tmp_path)) as gateway:
        session = await gateway.session()
        begun = await asyncio.gather(*(ask_api(gateway, "enable", session=session) for _ in range(20)))
        statuses = [answer.status for answer in begun]
        assert statuses.count(200) >= 1
        assert set(statuses) == {200, 429}
        assert all("Retry-After" in answer.headers for answer in begun if answer.status == 429)
