"""Banned addresses: what they may not, what they still may, and how an address gets there by itself."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path

import pytest
from aiohttp import ClientResponse

from gateway.client_address import TrustedProxies
from gateway.errors import Banned, TooManyAttempts
from gateway.revocation import ring_nobody
from gateway.storage.database import Database
from gateway.throttle.address_limits import AddressLimits, Allowance, Limit
from gateway.throttle.bans import AddressBans
from gateway.throttle.violations import Violations
from tests.support.commands import run_command
from tests.support.forms import Person
from tests.support.gateway import ADMIN_EMAIL, ADMIN_PASSWORD, Gateway, LoggedIn, environment, start_gateway
from tests.support.routes import routes_of, unserved_app
from tests.support.throttled import STRANGER, fail_often, pause_account, rows, try_password
from tests.support.waiting import wait_for_answer

OTHER = "198.51.100.8"
BASIC = "Basic " + b64encode(f"{ADMIN_EMAIL}:{ADMIN_PASSWORD}".encode()).decode()
FROM_STRANGER = {"X-Forwarded-For": STRANGER}


async def ban(gateway: Gateway, address: str = STRANGER, *, until: datetime | None = None) -> None:
    """Ban as another process does: nothing but the database tells the gateway."""
    database = Database.open(gateway.settings.database)
    try:
        await AddressBans(database, doorbell=ring_nobody).ban(address, until=until, reason="a test")
    finally:
        await database.close()


async def banned_in_the_end(gateway: Gateway, address: str) -> ClientResponse:
    return await wait_for_answer(
        lambda: try_password(gateway, address=address),
        lambda response: response.status == HTTPStatus.FORBIDDEN,
        seconds=10,
    )


def banned_addresses(gateway: Gateway) -> list[str]:
    return [address for (address,) in rows(gateway, "SELECT address FROM banned_addresses ORDER BY created_at")]


@pytest.fixture
async def strict(tmp_path: Path) -> AsyncIterator[Gateway]:
    """Run a gateway whose addresses may fail once."""
    async with start_gateway(environment(tmp_path, LOGIN_MAX="1")) as gateway:
        yield gateway


async def test_address_that_is_refused_twenty_times_is_banned(strict: Gateway) -> None:
    assert await fail_often(strict, 20) == [HTTPStatus.UNAUTHORIZED] + [HTTPStatus.TOO_MANY_REQUESTS] * 19
    assert banned_addresses(strict) == []
    assert (await try_password(strict)).status == HTTPStatus.TOO_MANY_REQUESTS
    refused = await banned_in_the_end(strict, STRANGER)
    assert (await refused.json())["message"] == (
        "Your account has been temporarily banned due to violations of our service."
    )
    assert (await try_password(strict, ADMIN_PASSWORD)).status == HTTPStatus.FORBIDDEN
    assert (await try_password(strict, ADMIN_PASSWORD, address=OTHER)).status == HTTPStatus.OK


async def test_ban_lasts_two_hours_and_is_audited(strict: Gateway) -> None:
    await fail_often(strict, 21)
    await banned_in_the_end(strict, STRANGER)
    [(created, expires)] = rows(strict, "SELECT created_at, expires_at FROM banned_addresses")
    lasts = datetime.fromisoformat(expires) - datetime.fromisoformat(created)
    assert timedelta(hours=2) - timedelta(seconds=1) < lasts <= timedelta(hours=2)
    [(details,)] = rows(strict, "SELECT details FROM audit_events WHERE kind = 'address_banned'")
    assert json.loads(details)["address"] == STRANGER


async def test_address_of_a_trusted_proxy_is_never_banned_by_itself(strict: Gateway) -> None:
    """N3: it stands for everybody whose proxy says nothing about them."""
    for _ in range(25):
        await strict.log_in(password="wrong")
    # Bans are written one after another: the second one proves that the first was not asked for.
    await fail_often(strict, 21)
    await banned_in_the_end(strict, STRANGER)
    assert banned_addresses(strict) == [STRANGER]


async def test_unknown_address_is_never_banned_by_itself(strict: Gateway) -> None:
    await fail_often(strict, 25, address="not an address")
    await fail_often(strict, 21)
    await banned_in_the_end(strict, STRANGER)
    assert banned_addresses(strict) == [STRANGER]


async def test_addresses_of_one_ipv6_customer_are_banned_together(strict: Gateway) -> None:
    for number in range(21):
        await try_password(strict, address=f"2001:db8:1:2::{number:x}")
    await banned_in_the_end(strict, "2001:db8:1:2:ffff::1")
    assert (await try_password(strict, ADMIN_PASSWORD, address="2001:db8:1:3::1")).status == HTTPStatus.OK


async def test_bans_can_be_switched_off(tmp_path: Path) -> None:
    async with start_gateway(environment(tmp_path, LOGIN_MAX="1", BAN_VIOLATIONS="false")) as gateway:
        assert set(await fail_often(gateway, 30)) == {HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS}
        assert banned_addresses(gateway) == []


async def test_whoever_is_unbanned_starts_anew(strict: Gateway) -> None:
    await fail_often(strict, 21)
    await banned_in_the_end(strict, STRANGER)
    await run_command(strict, "unban", STRANGER)
    assert set(await fail_often(strict, 10)) == {HTTPStatus.TOO_MANY_REQUESTS}
    # Bans are written one after another: the later one proves that none was asked for before.
    await fail_often(strict, 21, address=OTHER)
    await banned_in_the_end(strict, OTHER)
    assert banned_addresses(strict) == [OTHER]


async def test_nineteen_violations_are_not_enough(database: Database) -> None:
    bans = AddressBans(database, doorbell=ring_nobody)
    violations = Violations(bans, ban_duration=timedelta(hours=1), trusted_proxies=TrustedProxies(()))
    writing = asyncio.create_task(violations.run())
    for address, times in ((STRANGER, 19), (OTHER, 20)):
        for _ in range(times):
            await violations.note(address)
    async with asyncio.timeout(10):
        while not (banned := await bans.list()):  # noqa: ASYNC110 - written in the background
            await asyncio.sleep(0.01)
    writing.cancel()
    assert [one.address for one in banned] == [OTHER]


async def test_pause_of_an_account_is_no_violation_of_an_address(database: Database) -> None:
    """Whoever helps the owner to type would be banned for what strangers did."""
    bans = AddressBans(database, doorbell=ring_nobody)
    violations = Violations(bans, ban_duration=timedelta(hours=1), trusted_proxies=TrustedProxies(()))
    limits = AddressLimits(dict.fromkeys(Limit, Allowance(1, timedelta(minutes=5))), violations=violations)
    writing = asyncio.create_task(violations.run())
    for _ in range(30):
        await limits.admit(Limit.LOGIN, STRANGER)
    for address in (OTHER, STRANGER):
        await limits.count(Limit.LOGIN, address)
    for _ in range(20):
        with pytest.raises(TooManyAttempts):
            await limits.count(Limit.LOGIN, OTHER)
    async with asyncio.timeout(10):
        while not (banned := await bans.list()):  # noqa: ASYNC110 - written in the background
            await asyncio.sleep(0.01)
    writing.cancel()
    assert [one.address for one in banned] == [OTHER]


@pytest.mark.usefixtures("stopped_clock")
async def test_paused_account_does_not_get_its_visitors_banned(gateway: Gateway) -> None:
    await pause_account(gateway)
    assert await fail_often(gateway, 25) == [HTTPStatus.TOO_MANY_REQUESTS] * 25
    assert banned_addresses(gateway) == []


# What is posted with a session, a token or a key that counts on, and tries no other secret.
TAKES_NO_SECRET = {
    "/logout",
    "/api/auth/logout",
    "/api/auth/refresh",
    "/api/auth/sessions/revoke-others",
    "/api/api-keys",
    "/api/api-keys/{api_key_id}/rotate",
    "/api/v1/orgs",
    "/api/v1/orgs/current/members/basic",
    "/api/v1/orgs/current/members/basic/batch",
    "/api/v1/workspaces",
    "/api/v1/workspaces/{workspace_id}/members",
    "/api/v1/groups",
    "/api/v1/groups/{group_id}/members",
    "/api/v1/service-accounts",
    "/api/v1/orgs/current/service-keys",
    "/api/v1/orgs/current/service-keys/{key_id}/rotate",
}


async def test_banned_address_is_not_listened_to_where_a_secret_is_taken(gateway: Gateway, tmp_path: Path) -> None:
    """L7: before anything else is looked at. A new path that is posted to has to be guarded, or named above."""
    async with unserved_app(tmp_path / "routes") as app:
        posted = {path for method, path in routes_of(app) if method == "POST"}
    assert posted > TAKES_NO_SECRET
    await ban(gateway)
    for path in sorted(posted - TAKES_NO_SECRET):
        response = await gateway.client.post(f"{gateway.url}{path}", data=b"{", headers=FROM_STRANGER)
        assert response.status == HTTPStatus.FORBIDDEN, path
        body = await response.json()
        assert body["message"] == "Your account has been temporarily banned due to violations of our service.", path


async def test_address_that_is_not_banned_is_listened_to(gateway: Gateway) -> None:
    await ban(gateway, OTHER)
    response = await gateway.client.post(f"{gateway.url}/api/auth/login", data=b"{", headers=FROM_STRANGER)
    assert response.status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE


async def test_banned_person_reads_a_page(gateway: Gateway, person: Person) -> None:
    await ban(gateway)
    response = await person.post("/login", {}, **FROM_STRANGER)
    assert response.status == HTTPStatus.FORBIDDEN
    assert "temporarily banned" in await response.text()


async def test_sessions_tokens_and_keys_of_a_banned_address_count_on(gateway: Gateway) -> None:
    session = await gateway.session()
    key = await api_key_of(gateway, session)
    await ban(gateway)
    for credential in ({"Cookie": session.cookie}, {"Authorization": session.bearer}, {"X-API-Key": key}):
        assert (await gateway.check(**FROM_STRANGER, **credential)).status == HTTPStatus.OK, credential
    assert (await gateway.ask("/login", **FROM_STRANGER)).status == HTTPStatus.OK
    left = await gateway.ask("/api/auth/logout", method="POST", Cookie=session.cookie, **FROM_STRANGER)
    assert left.status == HTTPStatus.OK


async def api_key_of(gateway: Gateway, session: LoggedIn) -> str:
    response = await gateway.client.post(
        f"{gateway.url}/api/api-keys", json={"name": "a test"}, headers={"Authorization": session.bearer}
    )
    key: str = (await response.json())["key"]
    return key


async def test_basic_from_a_banned_address_is_refused_within_a_second(tmp_path: Path) -> None:
    """L6: what was proven before the ban is not remembered beyond it."""
    environ = environment(tmp_path, GATEWAY_BASIC_CREDENTIALS="true")
    async with start_gateway(environ) as gateway:
        for address in (STRANGER, OTHER):
            passed = await gateway.check(Authorization=BASIC, X_Forwarded_For=address)
            assert passed.status == HTTPStatus.OK
        await ban(gateway)
        refused = await wait_for_answer(
            lambda: gateway.check(Authorization=BASIC, X_Forwarded_For=STRANGER),
            lambda response: response.status != HTTPStatus.OK,
        )
        assert refused.status == HTTPStatus.FORBIDDEN
        assert refused.headers["X-Auth-Reason"] == "banned"
        assert (await gateway.check(Authorization=BASIC, X_Forwarded_For=OTHER)).status == HTTPStatus.OK


async def test_ban_that_is_over_counts_no_more(gateway: Gateway) -> None:
    await ban(gateway, until=datetime.now(UTC) - timedelta(seconds=1))
    assert (await try_password(gateway, ADMIN_PASSWORD)).status == HTTPStatus.OK


async def test_ban_by_itself_does_not_shorten_an_operators(database: Database) -> None:
    bans = AddressBans(database, doorbell=ring_nobody)
    await bans.ban(STRANGER, until=None, reason="by an operator")
    await bans.ban(STRANGER, until=datetime.now(UTC), reason="by itself", replace=False)
    assert [(one.expires_at, one.reason) for one in await bans.list()] == [(None, "by an operator")]


async def test_banned_address_is_told_so_even_while_it_is_over_its_limit(database: Database) -> None:
    bans = AddressBans(database, doorbell=ring_nobody)
    await bans.ban(STRANGER, until=None, reason="a test")
    limits = AddressLimits(dict.fromkeys(Limit, Allowance(1, timedelta(minutes=5))))
    async with database.read() as connection:
        with pytest.raises(Banned):
            await limits.require_not_banned(connection, STRANGER, now=datetime.now(UTC))
        await limits.require_not_banned(connection, OTHER, now=datetime.now(UTC))
        await limits.require_not_banned(connection, None, now=datetime.now(UTC))


async def test_ban_that_cannot_be_written_is_written_later(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    from gateway.errors import Unavailable  # noqa: PLC0415
    from gateway.throttle import violations as module  # noqa: PLC0415

    bans = AddressBans(database, doorbell=ring_nobody)
    violations = Violations(bans, ban_duration=timedelta(hours=1), trusted_proxies=TrustedProxies(()))
    failed = asyncio.Event()
    ban_address = bans.ban

    async def fail_first(*arguments: object, **named: object) -> None:
        if not failed.is_set():
            failed.set()
            raise Unavailable
        await ban_address(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(bans, "ban", fail_first)
    monkeypatch.setattr(module, "_RETRY", timedelta(0))
    writing = asyncio.create_task(violations.run())
    for _ in range(20):
        await violations.note(STRANGER)
    async with asyncio.timeout(10):
        while not await bans.list():  # noqa: ASYNC110 - written in the background
            await asyncio.sleep(0.01)
    writing.cancel()
    assert failed.is_set()
