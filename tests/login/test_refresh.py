"""Refreshing by JSON: one rotation however many ask, an end for what was used before, and what logging out ends."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import pytest
import time_machine

from tests.support.commands import run_command
from tests.support.forms import Person
from tests.support.gateway import ADMIN_EMAIL, ADMIN_PASSWORD, Gateway, environment, start_gateway
from tests.support.migrated import database_file
from tests.support.newcomers import rows
from tests.support.refreshing import (
    REFRESH,
    REFRESH_COOKIE,
    SESSION_COOKIE,
    Program,
    cleared_cookies,
    log_in_program,
    refresh_token_of,
)
from tests.support.tokens import claims_of

REFUSAL = {
    "error": "Token expired",
    "message": "Your session has expired. Please log in again.",
    "detail": "Invalid refresh token",
}
NEW_PASSWORD = "a new one, rather long"
GRACE = timedelta(seconds=20)


@pytest.fixture
async def program(gateway: Gateway) -> Program:
    return await log_in_program(gateway)


@pytest.fixture
async def hurried(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    """Run a gateway whose refresh tokens end long before their sessions do."""
    environ = environment(tmp_path_factory.mktemp("hurried"), REFRESH_TOKEN_EXPIRY="1000 * 60 * 60")
    async with start_gateway(environ) as running:
        yield running


def travel(by: timedelta) -> time_machine.travel:
    return time_machine.travel(datetime.now(UTC) + by, tick=True)


async def audited(gateway: Gateway, kind: str) -> list[tuple[Any, ...]]:
    return await rows(gateway, "SELECT succeeded, email, details FROM audit_events WHERE kind = ? ORDER BY id", kind)


async def test_login_by_json_sets_a_refresh_cookie_that_only_the_auth_api_sees(gateway: Gateway) -> None:
    cookie = (await gateway.log_in()).cookies[REFRESH_COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Strict"
    assert cookie["path"] == "/api/auth"
    assert not cookie["domain"]
    assert not cookie["secure"], "plain http, said aloud at start"
    assert cookie["max-age"] == str(7 * 24 * 3600)


async def test_refresh_cookie_is_secure_on_https_and_of_the_portal_only(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """S6: applications below the cookie domain never see it."""
    environ = environment(
        tmp_path_factory.mktemp("https"),
        GATEWAY_PUBLIC_URL="https://auth.example.com",
        GATEWAY_COOKIE_DOMAIN="example.com",
    )
    async with start_gateway(environ) as gateway:
        cookie = (await gateway.log_in()).cookies[REFRESH_COOKIE]
        assert cookie["secure"]
        assert not cookie["domain"]


async def test_login_page_sets_no_refresh_cookie(person: Person) -> None:
    await person.fill_in("/login", email=ADMIN_EMAIL, password=ADMIN_PASSWORD)
    assert SESSION_COOKIE in person.cookies
    assert REFRESH_COOKIE not in person.cookies


@pytest.mark.both_databases
@pytest.mark.usefixtures("gateways_database")
async def test_refresh_gives_a_new_access_token_the_user_and_the_next_cookie(program: Program) -> None:
    response = await program.refresh()
    body = await response.json()
    assert response.status == HTTPStatus.OK
    assert set(body) == {"token", "user"}
    assert body["user"]["email"] == ADMIN_EMAIL
    assert body["token"] != program.access_token
    assert claims_of(body["token"])["sid"] == claims_of(program.access_token)["sid"]
    cookie = response.cookies[REFRESH_COOKIE]
    assert cookie.value != program.refresh_token
    assert (cookie["path"], cookie["samesite"], cookie["httponly"]) == ("/api/auth", "Strict", True)
    assert SESSION_COOKIE not in response.cookies, "the session's own token stays as it is"
    asked = await program.gateway.ask("/api/user", Authorization=f"Bearer {body['token']}")
    assert asked.status == HTTPStatus.OK
    assert await program.counts()


@pytest.mark.parametrize("query", ["", "?retry=true", "?retry=false", "?retry=perhaps"])
@pytest.mark.parametrize("body", [{}, {"retry": True}, {"retry": False}, {"unknown": [1]}])
async def test_retry_is_taken_in_query_and_body_and_changes_nothing(
    program: Program, query: str, body: dict[str, object]
) -> None:
    response = await program.gateway.client.post(
        f"{program.gateway.url}{REFRESH}{query}", json=body, headers={"Cookie": program.refresh_cookie}
    )
    assert response.status == HTTPStatus.OK


async def test_refresh_token_is_taken_from_the_body_as_well(program: Program) -> None:
    body = {"refreshToken": program.refresh_token}
    for headers in ({}, {"Cookie": program.refresh_cookie}):
        response = await program.gateway.client.post(f"{program.gateway.url}{REFRESH}", json=body, headers=headers)
        assert response.status == HTTPStatus.OK


async def test_equal_copies_of_the_cookie_count_as_one(program: Program) -> None:
    copies = f"{program.refresh_cookie}; other=1; {program.refresh_cookie}"
    response = await program.gateway.ask(REFRESH, method="POST", Cookie=copies)
    assert response.status == HTTPStatus.OK


async def test_different_copies_are_refused_and_nothing_ends(program: Program) -> None:
    """S7: a sibling host must not choose whose session goes on."""
    other = await log_in_program(program.gateway)
    for cookies, body in (
        (f"{program.refresh_cookie}; {other.refresh_cookie}", {}),
        (program.refresh_cookie, {"refreshToken": other.refresh_token}),
    ):
        response = await program.gateway.client.post(
            f"{program.gateway.url}{REFRESH}", json=body, headers={"Cookie": cookies}
        )
        assert response.status == HTTPStatus.FORBIDDEN
        assert await response.json() == REFUSAL
    assert (await program.refresh()).status == HTTPStatus.OK
    assert (await other.refresh()).status == HTTPStatus.OK


async def test_planted_refresh_token_beside_a_good_session_cookie_does_not_count(program: Program) -> None:
    """S7: a sibling host can plant this cookie, and no session cookie with its prefix."""
    planted = await log_in_program(program.gateway)
    both = f"{planted.refresh_cookie}; {program.refresh_cookie}; {program.session_cookie}"
    own = await program.gateway.ask(REFRESH, method="POST", Cookie=both)
    assert own.status == HTTPStatus.OK
    session = claims_of(program.access_token)["sid"]
    assert claims_of((await own.json())["token"])["sid"] == session
    alone = await program.gateway.ask(
        REFRESH, method="POST", Cookie=f"{planted.refresh_cookie}; {program.session_cookie}"
    )
    assert alone.status == HTTPStatus.FORBIDDEN
    assert await program.counts()


async def test_request_from_before_new_tokens_leaves_the_session_cookie(program: Program) -> None:
    """A tab's refresh that left before a password change must not log the person out when it is answered late."""
    body = {"currentPassword": ADMIN_PASSWORD, "newPassword": NEW_PASSWORD}
    changed = await program.gateway.client.post(
        f"{program.gateway.url}/api/auth/changePassword",
        json=body,
        headers={"Authorization": program.bearer, "Cookie": program.refresh_cookie},
    )
    assert changed.status == HTTPStatus.OK
    late = await program.gateway.ask(
        REFRESH, method="POST", Cookie=f"{program.refresh_cookie}; {program.session_cookie}"
    )
    assert late.status == HTTPStatus.FORBIDDEN
    assert cleared_cookies(late) == {REFRESH_COOKIE}


@pytest.mark.parametrize(
    "cookie",
    ["", "refreshToken=", "refreshToken=x", "refreshToken=" + "A" * 72, "refreshToken=" + "A" * 5000, "other=1"],
)
async def test_what_is_no_refresh_token_of_ours_is_refused_and_its_cookie_cleared(
    program: Program, cookie: str
) -> None:
    response = await program.gateway.ask(REFRESH, method="POST", Cookie=f"{cookie}; {program.session_cookie}")
    assert response.status == HTTPStatus.FORBIDDEN
    assert await response.json() == REFUSAL
    assert cleared_cookies(response) == {REFRESH_COOKIE}
    assert response.cookies[REFRESH_COOKIE]["path"] == "/api/auth"
    assert await program.counts()


async def test_tokens_of_another_purpose_are_refused(program: Program) -> None:
    """J2."""
    for token in (program.access_token, program.session_token):
        assert (await program.refresh(token)).status == HTTPStatus.FORBIDDEN
    asked = await program.gateway.ask("/api/user", Authorization=f"Bearer {program.refresh_token}")
    assert asked.status == HTTPStatus.UNAUTHORIZED
    cookie = f"{SESSION_COOKIE}={program.refresh_token}"
    assert (await program.gateway.check(Cookie=cookie)).status == HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}]
)
async def test_another_sites_page_cannot_refresh(program: Program, headers: dict[str, str]) -> None:
    """S9."""
    response = await program.refresh(**headers)
    assert response.status == HTTPStatus.FORBIDDEN
    assert (await response.json())["code"] == "cross_origin"
    assert not response.cookies


@pytest.mark.parametrize(
    ("raw", "content_type", "status"),
    [
        (b"", "text/plain", 200),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"refreshToken": 5}', "application/json", 400),
        (b'{"refreshToken": ["x"]}', "application/json", 400),
        (b'{"refreshToken": null}', "application/json", 200),
        (b'{"refreshToken": ""}', "application/json", 200),
        (b'{"refreshToken": "nul\\u0000"}', "application/json", 400),
        (b'{"refreshToken": "\\ud800"}', "application/json", 400),
        (b'{"retry": "perhaps"}', "application/json", 400),
        (b"refreshToken=x", "application/x-www-form-urlencoded", 415),
        (b" " * (1024 * 1024), "application/json", 413),
    ],
)
async def test_bad_bodies_are_refused_and_cost_nobody_the_cookie(
    program: Program, raw: bytes, content_type: str, status: int
) -> None:
    response = await program.gateway.client.post(
        f"{program.gateway.url}{REFRESH}",
        data=raw,
        headers={"Content-Type": content_type, "Cookie": program.refresh_cookie},
    )
    assert response.status == status
    assert not cleared_cookies(response)


@pytest.mark.both_databases
@pytest.mark.usefixtures("gateways_database")
async def test_twenty_tabs_that_refresh_at_once_share_one_successor(program: Program) -> None:
    """J5, N1."""
    responses = await asyncio.gather(*(program.refresh() for _ in range(20)))
    assert [response.status for response in responses] == [HTTPStatus.OK] * 20
    [successor] = {refresh_token_of(response) for response in responses}
    assert successor != program.refresh_token
    assert await rows(program.gateway, "SELECT generation FROM refresh_families") == [(1,)]


async def test_lost_answer_is_given_again(program: Program) -> None:
    """J5: the client never saw the successor, and asks with what it has."""
    lost = refresh_token_of(await program.refresh())
    again = refresh_token_of(await program.refresh())
    assert again == lost
    assert (await program.refresh(again)).status == HTTPStatus.OK


async def test_reuse_after_the_grace_ends_the_session_everywhere(program: Program) -> None:
    """J5, S3: whoever of the two is the thief, both have to prove who they are."""
    old = await program.go_on()
    assert await program.counts()
    with travel(GRACE + timedelta(seconds=1)):
        cookies = f"{REFRESH_COOKIE}={old}; {program.session_cookie}"
        response = await program.gateway.ask(REFRESH, method="POST", Cookie=cookies)
        assert response.status == HTTPStatus.FORBIDDEN
        assert await response.json() == REFUSAL
        assert cleared_cookies(response) == {REFRESH_COOKIE, SESSION_COOKIE}
        assert not await program.counts()
        asked = await program.gateway.ask("/api/user", Authorization=program.bearer)
        assert asked.status == HTTPStatus.UNAUTHORIZED
        assert (await program.refresh()).status == HTTPStatus.FORBIDDEN, "the current one is dead as well"
    [(succeeded, email, details)] = await audited(program.gateway, "refresh_reused")
    assert (succeeded, email) == (0, ADMIN_EMAIL)
    assert claims_of(program.access_token)["sid"] in details
    [(_, _, ended)] = await audited(program.gateway, "session_ended")
    assert "refresh token reused" in ended


@pytest.mark.both_databases
@pytest.mark.usefixtures("gateways_database")
async def test_reuse_by_many_at_once_is_one_ending(program: Program) -> None:
    """N1."""
    old = await program.go_on()
    with travel(GRACE + timedelta(seconds=1)):
        responses = await asyncio.gather(*(program.refresh(old) for _ in range(20)))
    assert {response.status for response in responses} == {HTTPStatus.FORBIDDEN}
    assert len(await audited(program.gateway, "refresh_reused")) == 1


async def test_reuse_ends_no_other_session(program: Program) -> None:
    other = await log_in_program(program.gateway)
    old = await program.go_on()
    with travel(GRACE + timedelta(seconds=1)):
        response = await program.gateway.ask(
            REFRESH, method="POST", Cookie=f"{REFRESH_COOKIE}={old}; {other.session_cookie}"
        )
        assert cleared_cookies(response) == {REFRESH_COOKIE}, "the session cookie is another login's"
        assert await other.counts()
        assert (await other.refresh()).status == HTTPStatus.OK


async def test_refused_refresh_clears_the_session_cookie_of_a_session_that_ended(program: Program) -> None:
    await program.gateway.ask("/api/auth/logout", method="POST", Authorization=program.bearer)
    cookies = f"{program.refresh_cookie}; {program.session_cookie}"
    response = await program.gateway.ask(REFRESH, method="POST", Cookie=cookies)
    assert response.status == HTTPStatus.FORBIDDEN
    assert cleared_cookies(response) == {REFRESH_COOKIE, SESSION_COOKIE}


async def test_refresh_tokens_end_by_themselves_and_the_session_goes_on(hurried: Gateway) -> None:
    """J6."""
    program = await log_in_program(hurried)
    with travel(timedelta(minutes=59)):
        await program.go_on()
    with travel(timedelta(minutes=60)):
        cookies = f"{program.refresh_cookie}; {program.session_cookie}"
        response = await hurried.ask(REFRESH, method="POST", Cookie=cookies)
        assert response.status == HTTPStatus.FORBIDDEN
        assert cleared_cookies(response) == {REFRESH_COOKIE}
        assert await program.counts()


async def test_cookie_never_outlives_the_token(hurried: Gateway) -> None:
    """J6: rotation does not move the end."""
    program = await log_in_program(hurried)
    with travel(timedelta(minutes=30)):
        cookie = (await program.refresh()).cookies[REFRESH_COOKIE]
        assert 29 * 60 < int(cookie["max-age"]) <= 30 * 60


async def test_session_that_was_not_used_cannot_be_refreshed(program: Program) -> None:
    """S4."""
    with travel(timedelta(hours=12, seconds=1)):
        assert (await program.refresh()).status == HTTPStatus.FORBIDDEN


async def test_use_that_is_not_written_yet_counts(program: Program) -> None:
    """S4."""
    with travel(timedelta(hours=11)):
        assert await program.counts()
    with travel(timedelta(hours=13)):
        assert (await program.refresh()).status == HTTPStatus.OK


async def test_refreshing_is_a_use_of_the_session(program: Program) -> None:
    """S4."""
    watcher = await log_in_program(program.gateway)
    with travel(timedelta(hours=11)):
        await program.refresh()
        listed = await program.gateway.ask("/api/auth/sessions", Authorization=(await _refreshed(watcher)))
        [seen] = [session["lastSeenAt"] for session in await listed.json() if not session["current"]]
        assert datetime.now(UTC) - datetime.fromisoformat(seen) < timedelta(minutes=1)


async def _refreshed(program: Program) -> str:
    await program.go_on()
    return program.bearer


@pytest.mark.parametrize("command", ["disable", "reset-password"])
async def test_refresh_tokens_die_when_an_administrator_ends_the_sessions(gateway: Gateway, command: str) -> None:
    """J6, S3."""
    await run_command(
        gateway, "user", "add", "--email", "ann@example.com", "--name", "Ann", "--password-stdin", stdin=NEW_PASSWORD
    )
    program = await log_in_program(gateway, "ann@example.com", NEW_PASSWORD)
    await run_command(gateway, "user", command, "ann@example.com")
    response = await program.refresh()
    assert response.status == HTTPStatus.FORBIDDEN
    assert await response.json() == REFUSAL


@pytest.mark.parametrize("column", ["disabled_at", "banned_until"])
async def test_session_of_an_account_that_does_not_count_is_not_refreshed(program: Program, column: str) -> None:
    """S3: a session that was opened while its account was being disabled."""
    with closing(sqlite3.connect(database_file(program.gateway.settings))) as database, database:
        database.execute(f"UPDATE accounts SET {column} = '2999-01-01 00:00:00.000000'")  # noqa: S608 - from the list above
    response = await program.refresh()
    assert response.status == HTTPStatus.FORBIDDEN
    assert await response.json() == REFUSAL


async def test_handed_over_password_has_to_be_changed_before_refreshing_and_costs_no_cookie(gateway: Gateway) -> None:
    added = await run_command(gateway, "user", "add", "--email", "ann@example.com", "--name", "Ann", "--json")
    password = added.json["password"]
    program = await log_in_program(gateway, "ann@example.com", password)
    refused = await program.refresh()
    assert refused.status == HTTPStatus.FORBIDDEN
    assert (await refused.json())["code"] == "password_change_required"
    assert not refused.cookies
    changed = await _change_password(program, password)
    assert (await program.refresh(refresh_token_of(changed))).status == HTTPStatus.OK


async def _change_password(program: Program, current: str = ADMIN_PASSWORD) -> Any:  # noqa: ANN401 - aiohttp's answer
    response = await program.gateway.client.post(
        f"{program.gateway.url}/api/auth/changePassword",
        json={"currentPassword": current, "newPassword": NEW_PASSWORD},
        headers={"Authorization": program.bearer, "Cookie": program.refresh_cookie},
    )
    assert response.status == HTTPStatus.OK, await response.text()
    return response


async def test_password_change_replaces_the_refresh_token_of_this_session_and_ends_the_others(
    program: Program,
) -> None:
    """J6, S2, S5."""
    other = await log_in_program(program.gateway)
    changed = await _change_password(program)
    new = refresh_token_of(changed)
    assert new != program.refresh_token
    assert (await other.refresh()).status == HTTPStatus.FORBIDDEN
    assert (await program.refresh()).status == HTTPStatus.FORBIDDEN, "it died with the password"
    cookie = f"{SESSION_COOKIE}={changed.cookies[SESSION_COOKIE].value}"
    assert (await program.gateway.check(Cookie=cookie)).status == HTTPStatus.OK, "an old token is no reuse"
    assert (await program.refresh(new)).status == HTTPStatus.OK


async def test_password_change_on_the_page_gives_no_refresh_token_to_who_had_none(person: Person) -> None:
    await person.fill_in("/login", email=ADMIN_EMAIL, password=ADMIN_PASSWORD)
    changed = await person.fill_in("/change-password", current_password=ADMIN_PASSWORD, new_password=NEW_PASSWORD)
    assert changed.status == HTTPStatus.SEE_OTHER
    assert REFRESH_COOKIE not in person.cookies


@pytest.mark.parametrize("remember_me", [True, False])
async def test_password_change_remembers_for_as_long_as_the_person_asked(
    gateway: Gateway, *, remember_me: bool
) -> None:
    body = {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD, "rememberMe": remember_me}
    login = await gateway.client.post(f"{gateway.url}/api/auth/login", json=body)
    with travel(timedelta(days=10)) if remember_me else travel(timedelta(hours=10)):
        # The access token has ended by then; the page takes the cookie.
        person = Person(gateway, {SESSION_COOKIE: login.cookies[SESSION_COOKIE].value})
        changed = await person.fill_in("/change-password", current_password=ADMIN_PASSWORD, new_password=NEW_PASSWORD)
        assert changed.status == HTTPStatus.SEE_OTHER
        max_age = changed.cookies[SESSION_COOKIE]["max-age"]
        if not remember_me:
            assert not max_age
            return
        left = timedelta(seconds=int(max_age))
        assert timedelta(days=19, hours=23) < left <= timedelta(days=20)


@pytest.mark.parametrize(
    "lines",
    [
        ("refresh",),
        ("refresh", "session"),
        ("refresh", "bearer"),
        ("refresh", "dead bearer"),
        ("bearer",),
        ("session",),
    ],
    ids=" and ".join,
)
async def test_logout_ends_the_session_of_whatever_came(program: Program, lines: tuple[str, ...]) -> None:
    """J6, S3."""
    cookies = {"refresh": program.refresh_cookie, "session": program.session_cookie}
    headers = {"Cookie": "; ".join(cookies[line] for line in lines if line in cookies)}
    if "bearer" in lines:
        headers["Authorization"] = program.bearer
    if "dead bearer" in lines:
        headers["Authorization"] = "Bearer a.b.c"
    response = await program.gateway.ask("/api/auth/logout", method="POST", **headers)
    assert response.status == HTTPStatus.OK
    assert await response.json() == {"message": "Logout successful"}
    assert cleared_cookies(response) == {REFRESH_COOKIE, SESSION_COOKIE}
    assert not await program.counts()
    assert (await program.refresh()).status == HTTPStatus.FORBIDDEN
    assert len(await audited(program.gateway, "session_ended")) == 1


@pytest.mark.both_databases
@pytest.mark.usefixtures("gateways_database")
async def test_logout_ends_each_session_that_came(program: Program) -> None:
    others = [await log_in_program(program.gateway) for _ in range(2)]
    cookies = "; ".join([program.session_cookie, *(other.refresh_cookie for other in others)])
    await program.gateway.ask("/api/auth/logout", method="POST", Cookie=cookies)
    assert not any([await each.counts() for each in (program, *others)])


async def test_logout_on_the_page_ends_the_refresh_token_as_well(gateway: Gateway) -> None:
    """J6."""
    program = await log_in_program(gateway)
    person = Person(gateway, {SESSION_COOKIE: program.session_token})
    response = await person.fill_in("/", action="/logout")
    assert response.headers["Location"] == "/login"
    assert REFRESH_COOKIE in cleared_cookies(response)
    assert (await program.refresh()).status == HTTPStatus.FORBIDDEN


async def test_another_login_ends_the_session_whose_refresh_cookie_it_replaces(program: Program) -> None:
    """S2: the session cookie went with the browser's window, the refresh cookie stayed."""
    await log_in_program(program.gateway, Cookie=program.refresh_cookie)
    assert not await program.counts()


@pytest.mark.both_databases
@pytest.mark.usefixtures("gateways_database")
async def test_refresh_that_races_a_logout_leaves_no_living_token(gateway: Gateway) -> None:
    """J6, N1."""
    for _ in range(5):
        program = await log_in_program(gateway)
        logout = gateway.ask("/api/auth/logout", method="POST", Cookie=program.session_cookie)
        *refreshes, ended = await asyncio.gather(*(program.refresh() for _ in range(4)), logout)
        assert ended.status == HTTPStatus.OK
        for response in refreshes:
            if response.status == HTTPStatus.OK:
                assert (await program.refresh(refresh_token_of(response))).status == HTTPStatus.FORBIDDEN
                bearer = f"Bearer {(await response.json())['token']}"
                assert (await gateway.ask("/api/user", Authorization=bearer)).status == HTTPStatus.UNAUTHORIZED
        assert not await program.counts()


async def test_unavailable_is_said_and_keeps_the_cookies(program: Program) -> None:
    """N2."""
    database = sqlite3.connect(database_file(program.gateway.settings))
    with closing(database):
        database.execute("BEGIN EXCLUSIVE")
        response = await program.refresh()
        database.execute("ROLLBACK")
    assert response.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert int(response.headers["Retry-After"]) >= 1
    assert not response.cookies
    assert (await program.refresh()).status == HTTPStatus.OK


async def test_refusals_are_logged_and_tokens_never(program: Program, capfd: pytest.CaptureFixture[str]) -> None:
    """W4, W5."""
    old = await program.go_on()
    with travel(GRACE + timedelta(seconds=1)):
        await program.refresh(old)
    log = "".join(capfd.readouterr())
    assert "refresh_token_reused" in log
    assert "refresh_refused" in log
    assert old not in log
    assert program.refresh_token not in log
