"""A person's sessions, shown and ended by JSON."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import pytest
import time_machine

from tests.support.commands import run_command
from tests.support.gateway import ADMIN_EMAIL, ADMIN_PASSWORD, Gateway
from tests.support.newcomers import rows
from tests.support.refreshing import Program, log_in_program

SESSIONS = "/api/auth/sessions"
REVOKE_OTHERS = f"{SESSIONS}/revoke-others"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
FIELDS = {"id", "device", "userAgent", "clientAddress", "createdAt", "lastSeenAt", "current"}


async def listed(program: Program) -> list[dict[str, Any]]:
    response = await program.gateway.ask(SESSIONS, Authorization=program.bearer)
    assert response.status == HTTPStatus.OK, await response.text()
    found: list[dict[str, Any]] = await response.json()
    return found


async def session_id_of(program: Program) -> str:
    [current] = [session["id"] for session in await listed(program) if session["current"]]
    return str(current)


async def end(program: Program, session_id: str) -> int:
    response = await program.gateway.ask(f"{SESSIONS}/{session_id}", method="DELETE", Authorization=program.bearer)
    return response.status


async def ann(gateway: Gateway) -> Program:
    await run_command(
        gateway,
        "user",
        "add",
        "--email",
        "ann@example.com",
        "--name",
        "Ann",
        "--password-stdin",
        stdin="ann's own, rather long",
    )
    return await log_in_program(gateway, "ann@example.com", "ann's own, rather long")


async def ended_sessions(gateway: Gateway) -> list[tuple[Any, ...]]:
    return await rows(gateway, "SELECT actor, account_id, email FROM audit_events WHERE kind = 'session_ended'")


async def test_own_sessions_are_listed_the_newest_first(gateway: Gateway) -> None:
    """S10."""
    first = await log_in_program(gateway, **{"User-Agent": FIREFOX, "X-Forwarded-For": "203.0.113.9"})
    second = await log_in_program(gateway, **{"User-Agent": "curl/8.5.0"})
    await ann(gateway)
    newest, oldest = await listed(second)
    assert set(newest) == set(oldest) == FIELDS
    assert (newest["current"], oldest["current"]) == (True, False)
    assert newest["device"] == "curl"
    assert (oldest["device"], oldest["userAgent"]) == ("Firefox on Linux", FIREFOX)
    assert (newest["clientAddress"], oldest["clientAddress"]) == ("127.0.0.1", "203.0.113.9")
    assert oldest["createdAt"] < newest["createdAt"]
    assert newest["createdAt"].endswith("Z")
    assert [session["current"] for session in await listed(first)] == [False, True]


async def test_list_holds_no_token(gateway: Gateway) -> None:
    program = await log_in_program(gateway)
    text = str(await listed(program))
    for token in (program.session_token, program.refresh_token, program.access_token):
        assert token not in text


async def test_last_use_is_shown_at_once(gateway: Gateway) -> None:
    watched, watcher = await log_in_program(gateway), await log_in_program(gateway)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=10)):
        assert await watched.counts()
        seen = {session["current"]: datetime.fromisoformat(session["lastSeenAt"]) for session in await listed(watcher)}
        assert all(datetime.now(UTC) - moment < timedelta(minutes=1) for moment in seen.values())


async def test_expired_sessions_are_not_listed(gateway: Gateway) -> None:
    await log_in_program(gateway)
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=13)):
        assert len(await listed(await log_in_program(gateway))) == 1


async def test_session_is_ended_with_all_its_tokens(gateway: Gateway) -> None:
    """S10, S3, J6."""
    lost, mine = await log_in_program(gateway), await log_in_program(gateway)
    assert await lost.counts()
    assert await end(mine, await session_id_of(lost)) == HTTPStatus.NO_CONTENT
    assert not await lost.counts()
    assert (await lost.refresh()).status == HTTPStatus.FORBIDDEN
    assert (await gateway.check(Authorization=lost.bearer)).status == HTTPStatus.UNAUTHORIZED
    assert await mine.counts()
    [(actor, account_id, email)] = await ended_sessions(gateway)
    assert actor == account_id
    assert email == ADMIN_EMAIL


async def test_own_session_can_be_ended_as_well(gateway: Gateway) -> None:
    program = await log_in_program(gateway)
    assert await end(program, await session_id_of(program)) == HTTPStatus.NO_CONTENT
    assert not await program.counts()


async def test_another_accounts_session_is_not_there(gateway: Gateway) -> None:
    admin, other = await log_in_program(gateway), await ann(gateway)
    assert await end(other, await session_id_of(admin)) == HTTPStatus.NOT_FOUND
    assert await admin.counts()
    assert not await ended_sessions(gateway)


@pytest.mark.both_databases
@pytest.mark.usefixtures("gateways_database")
@pytest.mark.parametrize("session_id", ["x", "0b5f4a4e-9f0e-4f2e-8f39-6a6b51a0a001", "%00", "a" * 3000])
async def test_unknown_session_is_not_found(gateway: Gateway, session_id: str) -> None:
    program = await log_in_program(gateway)
    response = await gateway.ask(f"{SESSIONS}/{session_id}", method="DELETE", Authorization=program.bearer)
    assert response.status == HTTPStatus.NOT_FOUND
    assert {"error", "message"} <= set(await response.json())


async def test_all_others_are_ended_and_this_one_goes_on(gateway: Gateway) -> None:
    """S10, S3, J6."""
    mine, stranger = await log_in_program(gateway), await ann(gateway)
    others = [await log_in_program(gateway) for _ in range(3)]
    response = await gateway.ask(REVOKE_OTHERS, method="POST", Authorization=mine.bearer)
    assert response.status == HTTPStatus.OK
    assert set(await response.json()) == {"message"}
    for other in others:
        assert not await other.counts()
        assert (await other.refresh()).status == HTTPStatus.FORBIDDEN
    assert await mine.counts()
    assert (await mine.refresh()).status == HTTPStatus.OK
    assert await stranger.counts()
    assert len(await listed(mine)) == 1
    assert len(await ended_sessions(gateway)) == 3


@pytest.mark.both_databases
@pytest.mark.usefixtures("gateways_database")
async def test_ending_one_session_by_many_at_once_is_one_ending(gateway: Gateway) -> None:
    """N1."""
    lost, mine = await log_in_program(gateway), await log_in_program(gateway)
    session_id = await session_id_of(lost)
    statuses = await asyncio.gather(*(end(mine, session_id) for _ in range(20)))
    assert sorted(statuses) == [HTTPStatus.NO_CONTENT] + [HTTPStatus.NOT_FOUND] * 19
    assert len(await ended_sessions(gateway)) == 1


@pytest.mark.parametrize(("method", "path"), [("GET", SESSIONS), ("DELETE", f"{SESSIONS}/x"), ("POST", REVOKE_OTHERS)])
async def test_sessions_are_for_access_tokens_only(gateway: Gateway, method: str, path: str) -> None:
    """S9: neither a cookie nor a key can list or end them."""
    program = await log_in_program(gateway)
    made = await gateway.client.post(
        f"{gateway.url}/api/api-keys", json={"name": "key"}, headers={"Authorization": program.bearer}
    )
    key = (await made.json())["key"]
    cookies = f"{program.session_cookie}; {program.refresh_cookie}"
    for headers in ({"Cookie": cookies}, {"Authorization": f"Bearer {key}"}, {"X-API-Key": key}, {}):
        response = await gateway.ask(path, method=method, **headers)
        assert response.status == HTTPStatus.UNAUTHORIZED
        assert (await response.json())["error"] == "Unauthorized"
        assert response.headers["WWW-Authenticate"] == "Bearer"


async def test_handed_over_password_has_to_be_changed_first(gateway: Gateway) -> None:
    added = await run_command(gateway, "user", "add", "--email", "bob@example.com", "--name", "Bob", "--json")
    program = await log_in_program(gateway, "bob@example.com", added.json["password"])
    response = await gateway.ask(SESSIONS, Authorization=program.bearer)
    assert response.status == HTTPStatus.FORBIDDEN
    assert (await response.json())["code"] == "password_change_required"


async def test_sessions_opened_on_the_page_are_listed_too(gateway: Gateway) -> None:
    body = {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}
    page = await gateway.client.get(f"{gateway.url}/login", headers={"Accept": "text/html"})
    assert page.status == HTTPStatus.OK
    await gateway.client.post(f"{gateway.url}/api/auth/login", json=body, headers={"User-Agent": ""})
    program = await log_in_program(gateway)
    assert {session["device"] for session in await listed(program)} >= {"Unknown device"}
