"""Groups over the API."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from gateway.models import OrganizationRole
from tests.support.commands import run_command
from tests.support.gateway import Gateway
from tests.support.team import Colleague, administrator, join

GROUPS = "/api/v1/groups"


async def made(admin: Colleague, name: str = "ops") -> str:
    """Add a group, and give its address."""
    return f"{GROUPS}/{(await admin.get('POST', GROUPS, {'name': name}))['id']}"


async def groups_on_check(colleague: Colleague) -> str:
    return (await colleague.gateway.check(Cookie=colleague.session.cookie)).headers["Remote-Groups"]


async def test_groups_are_listed_by_name_with_how_many_are_in_them(gateway: Gateway) -> None:
    admin, ada = await administrator(gateway), await join(gateway)
    ops, _ = await made(admin), await made(admin, "Admins")
    await admin.get("POST", f"{ops}/members", {"email": ada.email})
    listed = await admin.get("GET", GROUPS)
    assert [(one["name"], one["members"]) for one in listed] == [("Admins", 0), ("ops", 1)]
    assert set(listed[1]) == {"id", "name", "created_at", "members"}
    assert await admin.get("GET", ops) == listed[1]


async def test_membership_reaches_running_checks_with_its_answer(gateway: Gateway) -> None:
    """B4."""
    admin, ada = await administrator(gateway), await join(gateway)
    ops = await made(admin)
    assert await groups_on_check(ada) == ""
    added = await admin.get("POST", f"{ops}/members", {"email": ada.email})
    assert added == {"id": ada.id, "email": ada.email, "full_name": "Ada"}
    assert await admin.get("GET", f"{ops}/members") == [added]
    assert await groups_on_check(ada) == "ops"
    await admin.get("DELETE", f"{ops}/members/{ada.id}", status=204)
    assert await groups_on_check(ada) == ""
    await admin.get("POST", f"{ops}/members", {"email": ada.email})
    assert await groups_on_check(ada) == "ops"
    await admin.get("DELETE", ops, status=204)
    assert await groups_on_check(ada) == ""


async def test_shell_and_api_speak_of_the_same_groups(gateway: Gateway) -> None:
    admin, ada = await administrator(gateway), await join(gateway)
    ops = await made(admin)
    await run_command(gateway, "group", "add-member", "OPS", ada.email)
    assert [one["id"] for one in await admin.get("GET", f"{ops}/members")] == [ada.id]
    await run_command(gateway, "group", "remove", "ops")
    await admin.get("GET", ops, status=404)


async def test_twice_is_said(gateway: Gateway) -> None:
    admin, ada = await administrator(gateway), await join(gateway)
    ops = await made(admin)
    await admin.get("POST", f"{ops}/members", {"email": ada.email})
    refused = await admin.get("POST", f"{ops}/members", {"email": ada.email}, status=409)
    assert "already" in refused["detail"]
    await admin.get("DELETE", f"{ops}/members/{ada.id}", status=204)
    await admin.get("DELETE", f"{ops}/members/{ada.id}", status=404)
    await admin.get("POST", GROUPS, {"name": "OPS"}, status=409)


@pytest.mark.parametrize(("name", "said"), [("a,b", "comma"), (" ", "between 1 and 80"), (5, "text")])
async def test_name_that_breaks_a_rule_is_refused_where_it_stands(gateway: Gateway, name: str | int, said: str) -> None:
    admin = await administrator(gateway)
    [problem] = (await admin.get("POST", GROUPS, {"name": name}, status=422))["detail"]
    assert problem["loc"] == ["body", "name"]
    assert said in problem["msg"]


async def test_what_is_not_there_is_not_found(gateway: Gateway) -> None:
    admin, ada = await administrator(gateway), await join(gateway)
    ops = await made(admin)
    for method, path, body in (
        ("GET", f"{GROUPS}/x", None),
        ("DELETE", f"{GROUPS}/x", None),
        ("GET", f"{GROUPS}/x/members", None),
        ("POST", f"{GROUPS}/x/members", {"email": ada.email}),
        ("DELETE", f"{GROUPS}/x/members/{ada.id}", None),
        ("DELETE", f"{ops}/members/x", None),
    ):
        await admin.get(method, path, body, status=404)
    [problem] = (await admin.get("POST", f"{ops}/members", {"email": "x@example.com"}, status=422))["detail"]
    assert problem["loc"] == ["body", "email"]


async def test_operators_read_groups_and_others_do_not(gateway: Gateway) -> None:
    """Rules refer to groups: whoever changes one changes who may pass."""
    admin = await administrator(gateway)
    ops = await made(admin)
    operator = await join(gateway, "olga@example.com", role=OrganizationRole.OPERATOR)
    user = await join(gateway)
    for path in (GROUPS, ops, f"{ops}/members"):
        assert (await operator.ask("GET", path)).status == HTTPStatus.OK
        assert (await user.ask("GET", path)).status == HTTPStatus.FORBIDDEN
    for colleague in (operator, user):
        assert (await colleague.ask("POST", GROUPS, {"name": "mine"})).status == HTTPStatus.FORBIDDEN
        own = {"email": colleague.email}
        assert (await colleague.ask("POST", f"{ops}/members", own)).status == HTTPStatus.FORBIDDEN
        assert (await colleague.ask("DELETE", ops)).status == HTTPStatus.FORBIDDEN
