"""`gateway group` beside a running gateway."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from tests.support.commands import run_command, run_gateway
from tests.support.gateway import ADMIN_EMAIL, Gateway, LoggedIn
from tests.support.waiting import wait_for_answer


async def _groups_become(gateway: Gateway, session: LoggedIn, groups: str) -> bool:
    response = await wait_for_answer(
        lambda: gateway.check(Cookie=session.cookie), lambda answer: answer.headers["Remote-Groups"] == groups
    )
    return response.status == HTTPStatus.OK


async def test_membership_reaches_a_running_gateway_within_a_second(gateway: Gateway) -> None:
    """B4."""
    session = await gateway.session()
    assert (await gateway.check(Cookie=session.cookie)).headers["Remote-Groups"] == ""
    for name in ("ops", "admins"):
        await run_command(gateway, "group", "add", name)
    await run_command(gateway, "group", "add-member", "ops", ADMIN_EMAIL)
    assert await _groups_become(gateway, session, "ops")
    await run_command(gateway, "group", "add-member", "admins", ADMIN_EMAIL)
    assert await _groups_become(gateway, session, "admins,ops")
    token = await gateway.check(Authorization=session.bearer)
    assert token.headers["Remote-Groups"] == "admins,ops"
    await run_command(gateway, "group", "remove-member", "ops", ADMIN_EMAIL)
    assert await _groups_become(gateway, session, "admins")
    await run_command(gateway, "group", "remove", "admins")
    assert await _groups_become(gateway, session, "")


async def test_groups_are_shown_with_their_members(gateway: Gateway) -> None:
    await run_command(gateway, "group", "add", "Ops Team")
    changed = (await run_command(gateway, "group", "add-member", "ops team", ADMIN_EMAIL, "--json")).json
    assert (changed["name"], changed["members"]) == ("Ops Team", [ADMIN_EMAIL])
    await run_command(gateway, "group", "add-member", "ops team", ADMIN_EMAIL)
    assert (await run_command(gateway, "group", "list", "--json")).json == [changed]
    assert (await run_command(gateway, "group", "show", "Ops Team", "--json")).json == changed
    assert ADMIN_EMAIL in (await run_command(gateway, "group", "show", "Ops Team")).out
    assert "Ops Team" in (await run_command(gateway, "group", "list")).out
    assert (await run_command(gateway, "group", "remove", "OPS TEAM", "--json")).json == {"removed": "Ops Team"}
    assert (await run_command(gateway, "group", "list", "--json")).json == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "admins"), "already a group"),
        (("add", "ADMINS"), "already a group"),
        (("add", "a,b"), "comma"),
        (("add", ""), "between 1 and 80"),
        (("add-member", "nobody", ADMIN_EMAIL), "gateway group list"),
        (("add-member", "admins", "nobody@example.com"), "gateway member list"),
        (("remove-member", "admins", "nobody"), "@"),
        (("remove", "nobody"), "gateway group list"),
        (("show", "nobody"), "gateway group list"),
    ],
)
async def test_mistake_is_named_without_a_traceback(gateway: Gateway, arguments: tuple[str, ...], said: str) -> None:
    await run_command(gateway, "group", "add", "admins")
    environ = {"GATEWAY_DATA_DIR": str(gateway.settings.data_dir)}
    finished = await run_gateway("group", *arguments, environ=environ)
    assert finished.code != 0
    assert said in finished.err
    assert "Traceback" not in finished.err
