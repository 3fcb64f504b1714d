"""A person's own second factor, by JSON."""

from __future__ import annotations

import asyncio
import base64
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import pytest
import time_machine

from tests.support.commands import run_command
from tests.support.gateway import ADMIN_EMAIL, Gateway, environment, start_gateway
from tests.support.migrated import database_file
from tests.support.second_factor import (
    STEP,
    App,
    Enrolled,
    ask_api,
    begin,
    clock_of_codes,
    enrol,
    finish,
    go_on,
    half_log_in,
)
from tests.support.waiting import wait_for_answer

CHANGES = ["enable", "disable", "backup/regenerate"]


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with clock_of_codes() as clock:
        yield clock


@pytest.fixture
async def gateway(tmp_path: Path, clock: time_machine.Traveller) -> AsyncIterator[Gateway]:  # noqa: ARG001 - first
    """A gateway at a clock that stands still, whose addresses may fail as often as they like."""
    async with start_gateway(environment(tmp_path, TWO_FACTOR_TEMP_MAX="100000")) as running:
        yield running


@pytest.fixture
async def enrolled(gateway: Gateway, clock: time_machine.Traveller) -> Enrolled:
    """The administrator with an app; its next code is a fresh one."""
    enrolled = await enrol(gateway)
    clock.shift(STEP)
    return enrolled


async def _has_factor(gateway: Gateway, enrolled: Enrolled) -> bool:
    user = await (await gateway.ask("/api/user", Authorization=enrolled.session.bearer)).json()
    has_factor: bool = user["twoFactorEnabled"]
    return has_factor


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_enrolment_gives_everything_once_and_changes_nothing_yet(gateway: Gateway, method: str) -> None:
    session = await gateway.session()
    response = await gateway.ask("/api/auth/2fa/enable", method=method, Authorization=session.bearer)
    answer = await response.json()
    assert response.status == HTTPStatus.OK
    assert set(answer) == {"qrCode", "secret", "otpauthUrl", "backupCodes"}
    picture = base64.b64decode(answer["qrCode"].removeprefix("data:image/png;base64,"))
    assert picture.startswith(b"\x89PNG")
    assert len(base64.b32decode(answer["secret"])) == 20
    assert f"secret={answer['secret']}" in answer["otpauthUrl"]
    assert len(answer["backupCodes"]) == 10
    assert (await gateway.log_in()).cookies, "the password is enough until it is confirmed"


async def test_verify_does_not_spend_the_code_that_confirms(gateway: Gateway) -> None:
    session = await gateway.session()
    app = await begin(gateway, session)
    code = app.code()
    for path in ("verify", "verify", "confirm"):
        response = await ask_api(gateway, path, {"token": code}, session=session)
        assert response.status == HTTPStatus.OK
        assert set(await response.json()) == {"message"}


async def test_confirming_ends_every_other_login_and_renews_this_one(gateway: Gateway) -> None:
    """S2, S5."""
    mine, other = await gateway.session(), await gateway.session()
    app = await begin(gateway, mine)
    confirmed = await ask_api(gateway, "confirm", {"token": app.code()}, session=mine)
    assert (await gateway.check(Cookie=other.cookie)).status == HTTPStatus.UNAUTHORIZED
    assert (await gateway.check(Authorization=other.bearer)).status == HTTPStatus.UNAUTHORIZED
    assert (await gateway.check(Cookie=mine.cookie)).status == HTTPStatus.UNAUTHORIZED, "its token was renewed"
    new = await gateway.check(Cookie=f"gateway_session={confirmed.cookies['gateway_session'].value}")
    assert new.headers["Remote-Auth-Level"] == "2"
    # The record goes on; a copy of the token from before stays worth one factor.
    assert (await gateway.check(Authorization=mine.bearer)).headers["Remote-Auth-Level"] == "1"
    next_one = await go_on(gateway, confirmed)
    assert (await gateway.check(Authorization=next_one.bearer)).headers["Remote-Auth-Level"] == "2"


@pytest.mark.parametrize("path", ["verify", "confirm"])
async def test_nothing_is_confirmed_that_was_not_begun(gateway: Gateway, path: str) -> None:
    session = await gateway.session()
    response = await ask_api(gateway, path, {"token": "123456"}, session=session)
    assert response.status == HTTPStatus.BAD_REQUEST
    app = await begin(gateway, session)
    another = await gateway.session()
    response = await ask_api(gateway, path, {"token": app.code()}, session=another)
    assert response.status == HTTPStatus.BAD_REQUEST, "an enrolment belongs to the session that began it"


@pytest.mark.parametrize("path", ["verify", "confirm"])
async def test_wrong_code_confirms_nothing(gateway: Gateway, path: str) -> None:
    """M6: nor does a recovery code of the same enrolment, which proves no app."""
    session = await gateway.session()
    app = await begin(gateway, session)
    for code in (app.wrong_code(), app.code(steps=1), app.recovery_codes[0]):
        response = await ask_api(gateway, path, {"token": code}, session=session)
        assert response.status == HTTPStatus.UNAUTHORIZED
        assert (await response.json())["code"] == "invalid_code"
    assert (await ask_api(gateway, path, {}, session=session)).status == HTTPStatus.BAD_REQUEST
    assert (await gateway.log_in()).cookies


async def test_begun_enrolment_lasts_a_quarter_of_an_hour(gateway: Gateway, clock: time_machine.Traveller) -> None:
    session = await gateway.session()
    app = await begin(gateway, session)
    clock.shift(timedelta(minutes=14, seconds=59))
    assert (await ask_api(gateway, "verify", {"token": app.code()}, session=session)).status == HTTPStatus.OK
    clock.shift(timedelta(seconds=1))
    session = await gateway.session()
    assert (await ask_api(gateway, "verify", {"token": app.code()}, session=session)).status == HTTPStatus.BAD_REQUEST


async def test_newest_enrolment_counts(gateway: Gateway) -> None:
    session = await gateway.session()
    first = await begin(gateway, session)
    second = await begin(gateway, session)
    assert (
        await ask_api(gateway, "confirm", {"token": first.code()}, session=session)
    ).status == HTTPStatus.UNAUTHORIZED
    assert (await ask_api(gateway, "confirm", {"token": second.code()}, session=session)).status == HTTPStatus.OK


async def test_another_app_replaces_the_first_once_it_is_confirmed(
    gateway: Gateway, enrolled: Enrolled, clock: time_machine.Traveller
) -> None:
    """L10."""
    new = await begin(gateway, enrolled.session, token=enrolled.app.code())
    clock.shift(STEP)
    assert (await finish(gateway, await half_log_in(gateway), enrolled.app.code())).status == HTTPStatus.OK
    assert (await ask_api(gateway, "confirm", {"token": new.code()}, session=enrolled.session)).status == HTTPStatus.OK
    clock.shift(STEP)
    for dead in (enrolled.app.code(), enrolled.app.recovery_codes[0]):
        assert (await finish(gateway, await half_log_in(gateway), dead)).status == HTTPStatus.UNAUTHORIZED
    assert (await finish(gateway, await half_log_in(gateway), new.recovery_codes[0])).status == HTTPStatus.OK


@pytest.mark.parametrize("path", CHANGES)
async def test_change_of_a_factor_needs_a_code_of_it(
    gateway: Gateway, enrolled: Enrolled, clock: time_machine.Traveller, path: str
) -> None:
    """L10."""
    clock.shift(timedelta(minutes=5))
    for body in ({}, {"token": None}, {"password": "x"}):
        response = await ask_api(gateway, path, body, session=enrolled.session)
        assert response.status == HTTPStatus.BAD_REQUEST
        assert "token" in (await response.json())["fields"]
    for code in (enrolled.app.wrong_code(), enrolled.app.code(steps=1), 123456, ""):
        response = await ask_api(gateway, path, {"token": code}, session=enrolled.session)
        assert response.status == HTTPStatus.UNAUTHORIZED
    assert await _has_factor(gateway, enrolled)
    response = await ask_api(gateway, path, {"token": enrolled.app.code()}, session=enrolled.session)
    assert response.status == HTTPStatus.OK
    replayed = await ask_api(gateway, path, {"token": enrolled.app.code()}, session=enrolled.session)
    assert replayed.status == (HTTPStatus.BAD_REQUEST if path == "disable" else HTTPStatus.UNAUTHORIZED)


@pytest.mark.parametrize("path", ["disable", "backup/regenerate"])
async def test_what_is_not_there_cannot_be_changed(gateway: Gateway, path: str) -> None:
    session = await gateway.session()
    response = await ask_api(gateway, path, {"token": "123456"}, session=session)
    assert response.status == HTTPStatus.BAD_REQUEST
    assert (await response.json())["code"] == "second_factor_not_set_up"


@pytest.mark.parametrize("field", ["token", "backupCode"])
async def test_without_a_factor_the_password_is_enough_again(gateway: Gateway, enrolled: Enrolled, field: str) -> None:
    """S5."""
    token = await half_log_in(gateway)
    other = await finish(gateway, token, enrolled.app.recovery_codes[1])
    half_finished = await half_log_in(gateway)
    body = {field: enrolled.app.recovery_codes[0]}
    response = await ask_api(gateway, "disable", body, session=enrolled.session)
    assert response.status == HTTPStatus.OK
    assert set(await response.json()) == {"message"}
    cookie = f"gateway_session={other.cookies['gateway_session'].value}"
    assert (await gateway.check(Cookie=cookie)).status == HTTPStatus.UNAUTHORIZED, "other sessions end"
    assert (await finish(gateway, half_finished, enrolled.app.code())).status == HTTPStatus.UNAUTHORIZED
    mine = await gateway.check(Cookie=enrolled.session.cookie)
    assert mine.headers["Remote-Auth-Level"] == "1", "what is gone proves nothing any more"
    assert (await gateway.log_in()).cookies
    assert not await _has_factor(gateway, enrolled)


async def test_administrator_helps_somebody_who_lost_everything(gateway: Gateway, enrolled: Enrolled) -> None:
    """S3, S5: the password is enough then, and whoever was logged in is not any more."""
    half_finished = await half_log_in(gateway)
    await run_command(gateway, "user", "remove-second-factor", ADMIN_EMAIL)
    assert (await finish(gateway, half_finished, enrolled.app.code())).status == HTTPStatus.UNAUTHORIZED
    await wait_for_answer(lambda: gateway.check(Cookie=enrolled.session.cookie), lambda answer: answer.status == 401)
    assert (await gateway.log_in()).cookies


async def test_new_recovery_codes_replace_the_old_set(gateway: Gateway, enrolled: Enrolled) -> None:
    """M7."""
    body = {"token": enrolled.app.recovery_codes[0]}
    response = await ask_api(gateway, "backup/regenerate", body, session=enrolled.session)
    answer = await response.json()
    codes = answer["backupCodes"]
    assert len(codes) == 10
    assert [entry["codeHash"] for entry in answer["backupCodesHash"]] == [str(number) for number in range(1, 11)]
    assert not set(codes) & set(enrolled.app.recovery_codes)
    old = await finish(gateway, await half_log_in(gateway), enrolled.app.recovery_codes[1])
    assert old.status == HTTPStatus.UNAUTHORIZED
    assert (await finish(gateway, await half_log_in(gateway), codes[0])).status == HTTPStatus.OK


async def test_second_factor_a_moment_ago_is_proof_enough_for_new_recovery_codes(
    gateway: Gateway, enrolled: Enrolled, clock: time_machine.Traveller
) -> None:
    login = await finish(gateway, await half_log_in(gateway), enrolled.app.code())
    bearer = f"Bearer {(await login.json())['token']}"
    clock.shift(timedelta(minutes=4, seconds=59))
    path = f"{gateway.url}/api/auth/2fa/backup/regenerate"
    without_body = await gateway.client.post(path, headers={"Authorization": bearer})
    assert without_body.status == HTTPStatus.OK
    clock.shift(timedelta(seconds=1))
    too_late = await gateway.client.post(path, headers={"Authorization": bearer})
    assert too_late.status == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize("path", ["enable", "verify", "confirm", "disable", "backup/regenerate"])
async def test_only_a_session_of_ones_own_may_ask(gateway: Gateway, path: str) -> None:
    """K3, S9: no cookie, no API key."""
    session = await gateway.session()
    made = await gateway.client.post(
        f"{gateway.url}/api/api-keys", json={"name": "k"}, headers={"Authorization": session.bearer}
    )
    key = (await made.json())["key"]
    for credential in ({"Cookie": session.cookie}, {"Authorization": f"Bearer {key}"}, {"X-API-Key": key}):
        assert (await ask_api(gateway, path, {}, **credential)).status == HTTPStatus.UNAUTHORIZED


async def test_handed_over_password_enrols_nobody(gateway: Gateway) -> None:
    added = await run_command(gateway, "user", "add", "--email", "ann@example.com", "--name", "Ann", "--json")
    session = await gateway.session("ann@example.com", added.json["password"])
    assert (await ask_api(gateway, "enable", session=session)).status == HTTPStatus.FORBIDDEN


async def test_codes_are_throttled_in_a_session_as_in_a_login(gateway: Gateway, enrolled: Enrolled) -> None:
    """M2: one count for both."""
    for number in range(3):
        body = {"token": enrolled.app.wrong_code(number)}
        assert (
            await ask_api(gateway, CHANGES[number], body, session=enrolled.session)
        ).status == HTTPStatus.UNAUTHORIZED
    for number in range(2):
        wrong = await finish(gateway, await half_log_in(gateway), enrolled.app.wrong_code(number))
        assert wrong.status == HTTPStatus.UNAUTHORIZED
    for path in CHANGES:
        response = await ask_api(gateway, path, {"token": enrolled.app.code()}, session=enrolled.session)
        assert response.status == HTTPStatus.TOO_MANY_REQUESTS


async def test_nothing_of_a_factor_can_be_read_from_the_database(gateway: Gateway, enrolled: Enrolled) -> None:
    """M6, M7."""
    await begin(gateway, enrolled.session, token=enrolled.app.code())
    with closing(sqlite3.connect(database_file(gateway.settings))) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        content = b"".join(
            repr(row).encode() + b"".join(value for value in row if isinstance(value, bytes))
            for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for row in database.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - the names are our own
        )
    for secret in (enrolled.app.secret, *enrolled.app.recovery_codes):
        assert secret.encode() not in content
    assert enrolled.app.raw_secret not in content


async def test_changes_are_audited_and_told_to_the_owner(gateway: Gateway, enrolled: Enrolled) -> None:
    """S5, W4."""
    await ask_api(gateway, "backup/regenerate", {"token": enrolled.app.code()}, session=enrolled.session)
    await ask_api(gateway, "disable", {"token": enrolled.app.wrong_code()}, session=enrolled.session)
    await ask_api(gateway, "disable", {"token": enrolled.app.recovery_codes[0]}, session=enrolled.session)
    await ask_api(gateway, "disable", {"backupCode": (await _codes(gateway, enrolled))[0]}, session=enrolled.session)
    with closing(sqlite3.connect(database_file(gateway.settings))) as database:
        events = database.execute("SELECT kind, succeeded, email FROM audit_events WHERE kind LIKE '%factor%' OR kind LIKE '%recovery%' ORDER BY id").fetchall()  # fmt: skip  # noqa: E501
        letters = database.execute("SELECT count(*) FROM outbox WHERE kind = 'second_factor_changed'").fetchone()
    assert [(kind, bool(succeeded)) for kind, succeeded, _ in events] == [
        ("second_factor_enrolled", True),
        ("second_factor", True),
        ("recovery_codes_replaced", True),
        ("second_factor", False),
        ("second_factor", False),
        ("recovery_codes_replaced", True),
        ("recovery_code_spent", True),
        ("second_factor_disabled", True),
    ]
    assert {email for *_, email in events} == {ADMIN_EMAIL}
    assert letters == (4,)


async def _codes(gateway: Gateway, enrolled: Enrolled) -> list[str]:
    response = await ask_api(gateway, "backup/regenerate", {}, session=enrolled.session)
    codes: list[str] = (await response.json())["backupCodes"]
    return codes


@pytest.mark.both_databases
@pytest.mark.usefixtures("gateways_database")
async def test_of_twenty_confirmations_one_succeeds(gateway: Gateway) -> None:
    """M1, N1."""
    session = await gateway.session()
    app = await begin(gateway, session)
    responses = await asyncio.gather(
        *[ask_api(gateway, "confirm", {"token": app.code()}, session=session) for _ in range(20)]
    )
    assert Counter(response.status for response in responses) == {200: 1, 400: 19}
    [confirmed] = [response for response in responses if response.status == HTTPStatus.OK]
    session = await go_on(gateway, confirmed)
    app.recovery_codes = (await (await ask_api(gateway, "backup/regenerate", session=session)).json())["backupCodes"]
    assert (await finish(gateway, await half_log_in(gateway), app.recovery_codes[0])).status == HTTPStatus.OK


@pytest.mark.both_databases
@pytest.mark.usefixtures("gateways_database")
async def test_of_twenty_changes_with_one_code_one_succeeds(gateway: Gateway, enrolled: Enrolled) -> None:
    """M1, N1."""
    body = {"token": enrolled.app.code()}
    responses = await asyncio.gather(
        *[ask_api(gateway, CHANGES[number % 3], body, session=enrolled.session) for number in range(20)]
    )
    statuses = Counter(response.status for response in responses)
    assert statuses[HTTPStatus.OK] == 1
    assert set(statuses) <= {200, 400, 401, 429}


async def test_lost_encryption_key_leaves_the_recovery_codes(tmp_path: Path, clock: time_machine.Traveller) -> None:
    environ = environment(tmp_path, GATEWAY_ENCRYPTION_KEY="one key that is long enough to be one")
    async with start_gateway(environ) as gateway:
        app: App = (await enrol(gateway)).app
    clock.shift(STEP)
    environ["GATEWAY_ENCRYPTION_KEY"] = "another key that is as long as the first one"
    async with start_gateway(environ) as gateway:
        assert (await finish(gateway, await half_log_in(gateway), app.code())).status == HTTPStatus.UNAUTHORIZED
        login = await finish(gateway, await half_log_in(gateway), app.recovery_codes[0])
        assert login.status == HTTPStatus.OK
        bearer = f"Bearer {(await login.json())['token']}"
        response = await ask_api(gateway, "disable", {"token": app.recovery_codes[1]}, Authorization=bearer)
        assert response.status == HTTPStatus.OK
