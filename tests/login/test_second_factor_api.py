"""The second step of a login, by JSON."""

from __future__ import annotations

import asyncio
import base64
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import time_machine

from tests.support.commands import run_command
from tests.support.gateway import ADMIN_EMAIL, ADMIN_PASSWORD, Gateway, environment, start_gateway
from tests.support.second_factor import STEP, App, ask_api, clock_of_codes, enrol, finish, half_log_in
from tests.support.tokens import claims_of

# One address makes all the requests of a test.
MANY = "100000"


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with clock_of_codes() as clock:
        yield clock


@pytest.fixture
async def gateway(tmp_path: Path, clock: time_machine.Traveller) -> AsyncIterator[Gateway]:  # noqa: ARG001 - it stands still first
    """A gateway at a clock that stands still, whose addresses may fail as often as they like."""
    async with start_gateway(environment(tmp_path, TWO_FACTOR_TEMP_MAX=MANY)) as running:
        yield running


@pytest.fixture
async def app(gateway: Gateway, clock: time_machine.Traveller) -> App:
    """The administrator's app; its next code is a fresh one."""
    enrolled = await enrol(gateway)
    clock.shift(STEP)
    return enrolled.app


@pytest.mark.usefixtures("app")
async def test_right_password_gives_a_temp_token_and_nothing_else(gateway: Gateway) -> None:
    """S8."""
    response = await gateway.log_in()
    answer = await response.json()
    assert response.status == HTTPStatus.OK
    assert set(answer) == {"twoFAPending", "tempToken", "methods"}
    assert answer["methods"] == ["totp", "backup_code"]
    assert not response.cookies
    claims = claims_of(answer["tempToken"])
    assert claims["exp"] - claims["iat"] == 300


async def test_code_finishes_the_login(gateway: Gateway, app: App) -> None:
    response = await finish(gateway, await half_log_in(gateway), app.code())
    answer = await response.json()
    assert response.status == HTTPStatus.OK, answer
    assert set(answer) == {"token", "user"}
    assert answer["user"]["email"] == ADMIN_EMAIL
    assert answer["user"]["twoFactorEnabled"] is True
    assert {"gateway_session", "refreshToken"} <= set(response.cookies)
    passed = await gateway.check(Cookie=f"gateway_session={response.cookies['gateway_session'].value}")
    assert passed.headers["Remote-Auth-Level"] == "2"
    assert (await gateway.check(Authorization=f"Bearer {answer['token']}")).status == HTTPStatus.OK


@pytest.mark.parametrize("field", ["token", "backupCode"])
async def test_recovery_code_finishes_the_login_once(gateway: Gateway, app: App, field: str) -> None:
    """M1."""
    code = f"{app.recovery_codes[3][:4]} - {app.recovery_codes[3][4:]}"
    for status in (HTTPStatus.OK, HTTPStatus.UNAUTHORIZED):
        response = await ask_api(gateway, "verify-temp", {"tempToken": await half_log_in(gateway), field: code})
        assert response.status == status


async def test_spaces_and_hyphens_are_dropped(gateway: Gateway, app: App) -> None:
    """M3."""
    code = app.code()
    assert (await finish(gateway, await half_log_in(gateway), f" {code[:3]}-{code[3:]} ")).status == HTTPStatus.OK


async def test_code_of_the_step_before_counts_and_of_the_next_one_does_not(
    gateway: Gateway, app: App, clock: time_machine.Traveller
) -> None:
    clock.shift(2 * STEP)
    assert (await finish(gateway, await half_log_in(gateway), app.code(steps=1))).status == HTTPStatus.UNAUTHORIZED
    assert (await finish(gateway, await half_log_in(gateway), app.code(steps=-2))).status == HTTPStatus.UNAUTHORIZED
    assert (await finish(gateway, await half_log_in(gateway), app.code(steps=-1))).status == HTTPStatus.OK


async def test_step_counts_once_and_none_before_it(gateway: Gateway, app: App, clock: time_machine.Traveller) -> None:
    """M1: also for a clock that was put back."""
    code = app.code()
    assert (await finish(gateway, await half_log_in(gateway), code)).status == HTTPStatus.OK
    assert (await finish(gateway, await half_log_in(gateway), code)).status == HTTPStatus.UNAUTHORIZED
    assert (await finish(gateway, await half_log_in(gateway), app.code(steps=-1))).status == HTTPStatus.UNAUTHORIZED
    clock.shift(-10 * STEP)
    assert (await finish(gateway, await half_log_in(gateway), app.code())).status == HTTPStatus.UNAUTHORIZED


async def test_code_that_confirmed_the_enrolment_is_spent(gateway: Gateway) -> None:
    """M6."""
    enrolled = await enrol(gateway)
    response = await finish(gateway, await half_log_in(gateway), enrolled.app.code())
    assert response.status == HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize("given", ["", "\uff11\uff12\uff13\uff14\uff15\uff16", 123456, ["123456"], {"$ne": ""}])
async def test_what_is_no_code_is_refused_and_counted(gateway: Gateway, app: App, given: object) -> None:
    """M3: five of them pause the account, as wrong codes do."""
    for _ in range(5):
        response = await finish(gateway, await half_log_in(gateway), given)
        assert response.status == HTTPStatus.UNAUTHORIZED
        assert "expired" not in (await response.json())["message"]
    assert (await finish(gateway, await half_log_in(gateway), app.code())).status == HTTPStatus.TOO_MANY_REQUESTS


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "tempToken"),
        ({"token": "123456"}, "tempToken"),
        ({"tempToken": "x"}, "token"),
        ({"tempToken": 5, "token": "1"}, "tempToken"),
    ],
)
async def test_missing_field_is_named(gateway: Gateway, body: dict[str, Any], field: str) -> None:
    response = await ask_api(gateway, "verify-temp", body)
    assert response.status == HTTPStatus.BAD_REQUEST
    assert field in (await response.json())["fields"]


async def test_temp_token_is_good_for_one_login(gateway: Gateway, app: App, clock: time_machine.Traveller) -> None:
    token = await half_log_in(gateway)
    assert (await finish(gateway, token, app.code())).status == HTTPStatus.OK
    clock.shift(STEP)
    response = await finish(gateway, token, app.code())
    assert response.status == HTTPStatus.UNAUTHORIZED
    assert "expired" in (await response.json())["message"]


async def test_temp_token_lasts_five_minutes(gateway: Gateway, app: App, clock: time_machine.Traveller) -> None:
    """M4."""
    first, second = await half_log_in(gateway), await half_log_in(gateway)
    clock.shift(timedelta(minutes=4, seconds=59))
    assert (await finish(gateway, first, app.code())).status == HTTPStatus.OK
    clock.shift(timedelta(seconds=1))
    response = await finish(gateway, second, app.code(steps=1))
    assert response.status == HTTPStatus.UNAUTHORIZED
    assert "expired" in (await response.json())["message"]


async def test_temp_token_ends_with_five_wrong_codes(gateway: Gateway, app: App, clock: time_machine.Traveller) -> None:
    token = await half_log_in(gateway)
    for number in range(5):
        response = await finish(gateway, token, app.wrong_code(number))
        assert response.status == HTTPStatus.UNAUTHORIZED
        assert "expired" not in (await response.json())["message"]
    # The account's own pause is over, so that the token is what is refused.
    clock.shift(timedelta(minutes=1))
    response = await finish(gateway, token, app.code())
    assert response.status == HTTPStatus.UNAUTHORIZED
    assert "expired" in (await response.json())["message"]
    assert (await finish(gateway, await half_log_in(gateway), app.code())).status == HTTPStatus.OK


async def test_wrong_codes_over_many_logins_and_addresses_pause_the_account(
    gateway: Gateway, app: App, clock: time_machine.Traveller
) -> None:
    """M2: neither a right password nor another address gives more tries."""
    for number in range(5):
        token = await half_log_in(gateway)
        address = f"203.0.113.{number}"
        response = await finish(gateway, token, app.wrong_code(number), **{"X-Forwarded-For": address})
        assert response.status == HTTPStatus.UNAUTHORIZED
    token = await half_log_in(gateway, **{"X-Forwarded-For": "203.0.113.77"})
    paused = await finish(gateway, token, app.code(), **{"X-Forwarded-For": "203.0.113.77"})
    assert paused.status == HTTPStatus.TOO_MANY_REQUESTS
    assert int(paused.headers["Retry-After"]) >= 1
    assert {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"} <= set(paused.headers)
    clock.shift(timedelta(seconds=5))
    assert (await finish(gateway, token, app.code())).status == HTTPStatus.OK, "nobody is kept out for ever"


async def test_address_may_try_seven_wrong_codes(tmp_path: Path, clock: time_machine.Traveller) -> None:
    async with start_gateway(environment(tmp_path)) as gateway:
        app = (await enrol(gateway)).app
        clock.shift(STEP)
        statuses = []
        for number in range(8):
            clock.shift(timedelta(seconds=35))
            statuses.append((await finish(gateway, await half_log_in(gateway), app.wrong_code(number))).status)
        assert statuses == [401] * 7 + [429]
        elsewhere = await finish(gateway, await half_log_in(gateway), app.code(), **{"X-Forwarded-For": "203.0.113.9"})
        assert elsewhere.status == HTTPStatus.OK


@pytest.mark.usefixtures("app")
async def test_temp_token_opens_nothing_else(gateway: Gateway) -> None:
    """S8, J2."""
    token = await half_log_in(gateway)
    assert (await gateway.check(Authorization=f"Bearer {token}")).status == HTTPStatus.UNAUTHORIZED
    assert (await gateway.check(Cookie=f"gateway_session={token}")).status == HTTPStatus.UNAUTHORIZED
    assert (await gateway.check(X_API_Key=token)).status == HTTPStatus.UNAUTHORIZED
    for method, path in (("GET", "/api/user"), ("GET", "/api/auth/2fa/enable"), ("POST", "/api/auth/2fa/disable")):
        response = await gateway.ask(path, method=method, Authorization=f"Bearer {token}")
        assert response.status == HTTPStatus.UNAUTHORIZED
    assert (await gateway.ask("/", Cookie=f"gateway_challenge={token}")).headers["Location"] == "/login"


async def test_no_other_token_finishes_a_login(gateway: Gateway) -> None:
    """S8, J2."""
    enrolled = await enrol(gateway)
    cookie = enrolled.session.cookie.partition("=")[2]
    header, payload, signature = (await half_log_in(gateway)).split(".")
    for token in (
        enrolled.session.token,
        cookie,
        "",
        "x",
        f"{header}.{payload}.{signature[::-1]}",
        f"{header}.{payload}.",
    ):
        response = await finish(gateway, token, enrolled.app.code(steps=1))
        assert response.status == HTTPStatus.UNAUTHORIZED
        assert "expired" in (await response.json())["message"]


async def test_login_cannot_be_finished_with_the_code_of_another_account(
    gateway: Gateway, app: App, clock: time_machine.Traveller
) -> None:
    """M4."""
    added = await run_command(
        gateway,
        "user",
        "add",
        "--email",
        "ann@example.com",
        "--name",
        "Ann",
        "--password-stdin",
        stdin="a quite long one\n",
    )
    assert added.code == 0
    ann = (await enrol(gateway, "ann@example.com", "a quite long one")).app
    clock.shift(STEP)
    token = await half_log_in(gateway, "ann@example.com", "a quite long one")
    assert (await finish(gateway, token, app.code())).status == HTTPStatus.UNAUTHORIZED
    response = await finish(gateway, token, ann.code())
    assert (await response.json())["user"]["email"] == "ann@example.com"


async def test_session_before_the_login_ends_with_it(gateway: Gateway, clock: time_machine.Traveller) -> None:
    """S2."""
    enrolled = await enrol(gateway)
    clock.shift(STEP)
    token = await half_log_in(gateway, Cookie=enrolled.session.cookie)
    assert (await gateway.check(Cookie=enrolled.session.cookie)).status == HTTPStatus.OK
    assert (await finish(gateway, token, enrolled.app.code(), Cookie=enrolled.session.cookie)).status == HTTPStatus.OK
    assert (await gateway.check(Cookie=enrolled.session.cookie)).status == HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
async def test_another_sites_page_cannot_finish_a_login(gateway: Gateway, app: App, headers: dict[str, str]) -> None:
    """S9."""
    token = await half_log_in(gateway)
    assert (await finish(gateway, token, app.code(), **headers)).status == HTTPStatus.FORBIDDEN
    assert (await finish(gateway, token, app.code())).status == HTTPStatus.OK


@pytest.mark.parametrize(
    "command", [("user", "disable", ADMIN_EMAIL), ("user", "reset-password", ADMIN_EMAIL), ("ban", ADMIN_EMAIL)]
)
async def test_half_finished_login_ends_with_the_accounts_logins(
    gateway: Gateway, app: App, command: tuple[str, ...]
) -> None:
    """S8: what an administrator ends, ends before the second factor as well."""
    other = ("user", "add", "--email", "other@example.com", "--name", "Other", "--admin", "--password-stdin")
    await run_command(gateway, *other, stdin="a quite long one\n")
    token = await half_log_in(gateway)
    await run_command(gateway, *command)
    response = await finish(gateway, token, app.code())
    assert response.status == HTTPStatus.UNAUTHORIZED
    assert "expired" in (await response.json())["message"]


async def test_basic_is_refused_for_an_account_with_a_second_factor(tmp_path: Path) -> None:
    """M5."""
    environ = environment(tmp_path, GATEWAY_BASIC_CREDENTIALS="true")
    async with start_gateway(environ) as gateway:
        pair = base64.b64encode(f"{ADMIN_EMAIL}:{ADMIN_PASSWORD}".encode()).decode()
        assert (await gateway.check(Authorization=f"Basic {pair}")).status == HTTPStatus.OK
        await enrol(gateway)
        refused = await gateway.check(Authorization=f"Basic {pair}")
        assert refused.status == HTTPStatus.UNAUTHORIZED


@pytest.mark.both_databases
@pytest.mark.usefixtures("gateways_database")
async def test_of_twenty_logins_with_one_code_one_succeeds(gateway: Gateway, app: App) -> None:
    """M1, N1."""
    tokens = [await half_log_in(gateway) for _ in range(20)]
    responses = await asyncio.gather(*[finish(gateway, token, app.code()) for token in tokens])
    counts = Counter(response.status for response in responses)
    assert counts[HTTPStatus.OK] == 1
    assert set(counts) <= {200, 401, 429}


@pytest.mark.both_databases
@pytest.mark.usefixtures("gateways_database")
async def test_of_twenty_logins_with_one_recovery_code_one_succeeds(gateway: Gateway, app: App) -> None:
    """M1, N1."""
    tokens = [await half_log_in(gateway) for _ in range(20)]
    responses = await asyncio.gather(*[finish(gateway, token, app.recovery_codes[0]) for token in tokens])
    counts = Counter(response.status for response in responses)
    assert counts[HTTPStatus.OK] == 1
    assert set(counts) <= {200, 401, 429}


@pytest.mark.both_databases
@pytest.mark.usefixtures("gateways_database")
async def test_of_twenty_who_finish_one_login_one_succeeds_and_none_is_counted_as_wrong(
    gateway: Gateway, app: App, clock: time_machine.Traveller
) -> None:
    """N1."""
    token = await half_log_in(gateway)
    codes = [app.code(), *app.recovery_codes]
    responses = await asyncio.gather(*[finish(gateway, token, codes[number % len(codes)]) for number in range(20)])
    counts = Counter(response.status for response in responses)
    assert counts == {200: 1, 401: 19}
    messages = [(await response.json())["message"] for response in responses if response.status != HTTPStatus.OK]
    assert all("expired" in message for message in messages)
    clock.shift(STEP)
    assert (await finish(gateway, await half_log_in(gateway), app.code())).status == HTTPStatus.OK


async def test_of_many_wrong_codes_at_once_five_are_answered(gateway: Gateway, app: App) -> None:
    """M2, N1."""
    tokens = [await half_log_in(gateway) for _ in range(20)]
    responses = await asyncio.gather(
        *[finish(gateway, token, app.wrong_code(number)) for number, token in enumerate(tokens)]
    )
    assert Counter(response.status for response in responses) == {401: 5, 429: 15}
