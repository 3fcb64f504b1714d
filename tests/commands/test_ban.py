"""`gateway ban` and `gateway unban` beside a running gateway: another process, the same database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import pytest
from click.testing import CliRunner

from gateway.commands.ban import Target, ban, parse_target
from tests.support.commands import run_command, run_gateway
from tests.support.gateway import ADMIN_EMAIL, ADMIN_PASSWORD, Gateway
from tests.support.throttled import STRANGER, rows, try_password
from tests.support.waiting import wait_for_answer

ANN = "ann@example.com"
PASSWORD = "anns own password"


async def add_ann(gateway: Gateway, *more: str) -> None:
    await run_command(
        gateway, "user", "add", "--email", ANN, "--name", "Ann", "--password-stdin", *more, stdin=f"{PASSWORD}\n"
    )


async def test_banned_address_may_not_log_in_until_it_is_unbanned(gateway: Gateway) -> None:
    await run_command(gateway, "ban", STRANGER)
    assert (await try_password(gateway, ADMIN_PASSWORD)).status == HTTPStatus.FORBIDDEN
    await run_command(gateway, "unban", STRANGER)
    assert (await try_password(gateway, ADMIN_PASSWORD)).status == HTTPStatus.OK


async def test_banned_person_is_refused_within_a_second_and_only_told_after_the_right_password(
    gateway: Gateway,
) -> None:
    """L7, S3."""
    await add_ann(gateway)
    session = await gateway.session(ANN, PASSWORD)
    await run_command(gateway, "ban", ANN, "--for", "2h")
    await wait_for_answer(
        lambda: gateway.check(Cookie=session.cookie), lambda response: response.status == HTTPStatus.UNAUTHORIZED
    )
    assert (await gateway.log_in(ANN, "wrong")).status == HTTPStatus.UNAUTHORIZED
    assert (await gateway.log_in(ANN, PASSWORD)).status == HTTPStatus.FORBIDDEN
    await run_command(gateway, "unban", ANN)
    assert (await gateway.log_in(ANN, PASSWORD)).status == HTTPStatus.OK
    assert (await gateway.check(Cookie=session.cookie)).status == HTTPStatus.UNAUTHORIZED, "what ended stays ended"


async def test_list_tells_who_until_when_and_why(gateway: Gateway) -> None:
    await add_ann(gateway)
    assert (await run_command(gateway, "ban", "--list", "--json")).json == []
    one = (await run_command(gateway, "ban", STRANGER, "--for", "2h", "--reason", "scans us", "--json")).json
    await run_command(gateway, "ban", "2001:db8:1:2::9")
    await run_command(gateway, "ban", ANN)
    ann, stranger, customer = (await run_command(gateway, "ban", "--list", "--json")).json
    assert stranger == one
    assert (one["kind"], one["name"], one["reason"]) == ("address", STRANGER, "scans us")
    lasts = datetime.fromisoformat(one["until"]) - datetime.now(UTC)
    assert timedelta(hours=1, minutes=59) < lasts <= timedelta(hours=2)
    assert (customer["name"], customer["until"]) == ("2001:db8:1:2::/64", None)
    assert (ann["kind"], ann["name"], ann["until"]) == ("account", ANN, None)
    text = (await run_command(gateway, "ban", "--list")).out
    assert "scans us" in text
    assert "until it is lifted" in text


async def test_what_the_list_shows_can_be_unbanned(gateway: Gateway) -> None:
    await run_command(gateway, "ban", "2001:db8:1:2::9")
    [listed] = (await run_command(gateway, "ban", "--list", "--json")).json
    assert (await run_command(gateway, "unban", listed["name"], "--json")).json == {"unbanned": listed["name"]}
    assert (await run_command(gateway, "ban", "--list", "--json")).json == []


async def test_bans_and_their_end_are_audited_with_who_did_it(gateway: Gateway) -> None:
    await run_command(gateway, "ban", STRANGER, "--reason", "scans us")
    await run_command(gateway, "unban", STRANGER)
    audited = rows(gateway, "SELECT kind, actor, details FROM audit_events WHERE kind LIKE 'address%' ORDER BY id")
    assert [kind for kind, _, _ in audited] == ["address_banned", "address_unbanned"]
    assert all(actor.startswith("command line") and STRANGER in details for _, actor, details in audited)
    assert "scans us" in audited[0][2]


async def test_last_active_administrator_cannot_be_banned(gateway: Gateway) -> None:
    environ = {"GATEWAY_DATA_DIR": str(gateway.settings.data_dir)}
    finished = await run_gateway("ban", ADMIN_EMAIL, environ=environ)
    assert finished.code != 0
    assert "last active Organization Admin" in finished.err
    await add_ann(gateway, "--admin")
    await run_command(gateway, "ban", ADMIN_EMAIL)
    for last_one in (("ban", ANN), ("user", "disable", ANN)):
        finished = await run_gateway(*last_one, environ=environ)
        assert "last active Organization Admin" in finished.err, "a banned administrator is none, for now"
    await run_command(gateway, "ban", ADMIN_EMAIL, "--for", "1h")
    assert (await gateway.log_in(ANN, PASSWORD)).status == HTTPStatus.OK


async def test_ban_of_a_proxys_own_address_is_said_aloud(gateway: Gateway) -> None:
    assert "trusted proxy" in (await run_command(gateway, "ban", "127.0.0.1")).err
    assert "trusted proxy" not in (await run_command(gateway, "ban", STRANGER)).err


async def test_mistakes_are_named_without_a_traceback(gateway: Gateway) -> None:
    environ = {"GATEWAY_DATA_DIR": str(gateway.settings.data_dir)}
    mistakes = {
        ("ban", "nobody@example.com"): "no account",
        ("unban", STRANGER): "is not banned",
        ("unban", ADMIN_EMAIL): "is not banned",
    }
    for arguments, said in mistakes.items():
        finished = await run_gateway(*arguments, environ=environ)
        assert finished.code != 0, arguments
        assert said in finished.err, arguments
        assert "Traceback" not in finished.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--list"),
        ([STRANGER, "--list"], "--list"),
        (["192.0.2.0/24"], "one IP address"),
        (["192.0.2.1/32"], "one IP address"),
        (["example.com"], "one IP address"),
        ([STRANGER, "--for", "soon"], "not a duration"),
        ([STRANGER, "--for", "0"], "some time"),
        ([STRANGER, "--reason", "two\nlines"], "one line"),
    ],
)
def test_arguments_that_mean_nothing_are_named(arguments: list[str], said: str) -> None:
    answer = CliRunner().invoke(ban, arguments)
    assert answer.exit_code != 0
    assert said in answer.output


@pytest.mark.parametrize(
    ("text", "name", "is_account"),
    [
        ("192.0.2.1", "192.0.2.1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", False),
        ("2001:db8::1", "2001:db8::/64", False),
        ("2001:db8::/64", "2001:db8::/64", False),
        (" Ann@Example.COM ", ANN, True),
    ],
)
def test_target_is_read_as_the_throttle_counts_it(text: str, name: str, *, is_account: bool) -> None:
    assert parse_target(text) == Target(name, is_account=is_account)
