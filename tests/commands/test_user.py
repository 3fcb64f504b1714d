"""`gateway user` beside a running gateway: another process, the same database."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from pathlib import Path

from tests.support.commands import run_command, run_gateway
from tests.support.gateway import ADMIN_EMAIL, Gateway

ANN = "ann@example.com"
PASSWORD = "anns own password"


async def _add_ann(gateway: Gateway, *more: str) -> None:
    await run_command(
        gateway, "user", "add", "--email", ANN, "--name", "Ann", "--password-stdin", *more, stdin=f"{PASSWORD}\n"
    )


async def _refused_within_a_second(gateway: Gateway, cookie: str) -> bool:
    # The bound that is promised; polling ends with the first refusal.
    async with asyncio.timeout(1):
        while (await gateway.check(Cookie=cookie)).status == HTTPStatus.OK:  # noqa: ASYNC110 - another process acts
            await asyncio.sleep(0.01)
    return True


async def test_added_person_logs_in_and_passes(gateway: Gateway) -> None:
    await _add_ann(gateway)
    session = await gateway.session(ANN, PASSWORD)
    response = await gateway.check(Cookie=session.cookie)
    assert response.headers["Remote-Name"] == "Ann"
    assert response.headers["Remote-Role"] == "Organization User"


async def test_disabled_person_is_refused_by_the_running_gateway_within_a_second(gateway: Gateway) -> None:
    """S3."""
    await _add_ann(gateway)
    session = await gateway.session(ANN, PASSWORD)
    assert (await gateway.check(Cookie=session.cookie)).status == HTTPStatus.OK
    await run_command(gateway, "user", "disable", ANN)
    assert await _refused_within_a_second(gateway, session.cookie)
    assert (await gateway.check(Authorization=session.bearer)).status == HTTPStatus.UNAUTHORIZED
    assert (await gateway.log_in(ANN, PASSWORD)).status == HTTPStatus.UNAUTHORIZED
    await run_command(gateway, "user", "enable", ANN)
    assert (await gateway.log_in(ANN, PASSWORD)).status == HTTPStatus.OK
    assert (await gateway.check(Cookie=session.cookie)).status == HTTPStatus.UNAUTHORIZED, "what ended stays ended"


async def test_reset_password_ends_the_sessions_and_is_printed_once(gateway: Gateway) -> None:
    await _add_ann(gateway)
    session = await gateway.session(ANN, PASSWORD)
    reset = (await run_command(gateway, "user", "reset-password", ANN, "--json")).json
    assert await _refused_within_a_second(gateway, session.cookie)
    assert (await gateway.log_in(ANN, PASSWORD)).status == HTTPStatus.UNAUTHORIZED
    assert (await gateway.log_in(ANN, reset["password"])).status == HTTPStatus.OK
    assert "password" not in (await run_command(gateway, "user", "show", ANN, "--json")).json


async def test_list_and_show_name_everybody(gateway: Gateway) -> None:
    await _add_ann(gateway, "--admin")
    listed = (await run_command(gateway, "user", "list", "--json")).json
    assert [user["email"] for user in listed] == [ADMIN_EMAIL, ANN]
    assert {user["role"] for user in listed} == {"Organization Admin"}
    shown = (await run_command(gateway, "user", "show", ANN)).out
    assert ANN in shown
    assert "Organization Admin" in shown


async def test_mistakes_are_named_without_a_traceback(gateway: Gateway) -> None:
    environ = {"GATEWAY_DATA_DIR": str(gateway.settings.data_dir)}
    mistakes = {
        ("user", "disable", ADMIN_EMAIL): "last active Organization Admin",
        ("user", "disable", "nobody@example.com"): "no account",
        ("user", "show", "nobody"): "@",
        ("user", "add", "--email", ADMIN_EMAIL, "--name", "Again"): "already",
        ("user", "add", "--email", "a@example.com", "--name", "two\nlines"): "name",
    }
    for arguments, said in mistakes.items():
        finished = await run_gateway(*arguments, environ=environ)
        assert finished.code != 0, arguments
        assert said in finished.err, arguments
        assert "Traceback" not in finished.err


async def test_short_password_is_refused(gateway: Gateway) -> None:
    environ = {"GATEWAY_DATA_DIR": str(gateway.settings.data_dir)}
    arguments = ("user", "add", "--email", ANN, "--name", "Ann", "--password-stdin")
    finished = await run_gateway(*arguments, environ=environ, stdin="short\n")
    assert finished.code != 0
    assert "8 characters" in finished.err


async def test_new_database_is_said_aloud(tmp_path: Path) -> None:
    """A shell without the gateway's environment would otherwise add people to nowhere."""
    environ = {"GATEWAY_DATA_DIR": str(tmp_path / "elsewhere")}
    first = await run_gateway("user", "list", environ=environ)
    assert "no database" in first.err
    assert str(tmp_path / "elsewhere") in first.err
    assert "no database" not in (await run_gateway("user", "list", environ=environ)).err
