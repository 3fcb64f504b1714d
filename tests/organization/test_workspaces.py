"""Workspaces over the API: who sees, makes, renames and removes them, and what a running check says of it."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

import pytest

from gateway.models import OrganizationRole
from tests.support.gateway import Gateway
from tests.support.newcomers import rows
from tests.support.team import WORKSPACES, Colleague, administrator, join

NOWHERE = "0b5f4a4e-9f0e-4f2e-8f39-6a6b51a0a001"


async def made(colleague: Colleague, name: str) -> str:
    """Add a workspace, and give its id."""
    return str((await colleague.get("POST", WORKSPACES, {"display_name": name}))["id"])


async def names_seen_by(colleague: Colleague) -> list[tuple[str, str]]:
    return [(one["display_name"], one["role"]) for one in await colleague.get("GET", WORKSPACES)]


async def test_everybody_lists_their_own_the_oldest_first(gateway: Gateway) -> None:
    admin, ada = await administrator(gateway), await join(gateway)
    for name in ("Zoo", "Annex"):
        await made(admin, name)
    assert await names_seen_by(admin) == [("Default", "Admin"), ("Zoo", "Admin"), ("Annex", "Admin")]
    [only] = await ada.get("GET", WORKSPACES)
    assert set(only) == {"id", "organization_id", "display_name", "created_at", "role"}
    assert (only["display_name"], only["role"]) == ("Default", "Editor")
    assert await ada.get("GET", f"{WORKSPACES}/{only['id']}") == only


async def test_operator_who_adds_a_workspace_is_its_admin(gateway: Gateway) -> None:
    operator = await join(gateway, role=OrganizationRole.OPERATOR)
    added = await operator.get("POST", WORKSPACES, {"display_name": "  Research "})
    assert (added["display_name"], added["role"]) == ("Research", "Admin")
    assert await names_seen_by(operator) == [("Default", "Editor"), ("Research", "Admin")]
    renamed = await operator.get("PATCH", f"{WORKSPACES}/{added['id']}", {"display_name": "Labs"})
    assert renamed == {**added, "display_name": "Labs"}
    assert (await operator.ask("DELETE", f"{WORKSPACES}/{added['id']}")).status == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("role", [OrganizationRole.USER, OrganizationRole.VIEWER])
async def test_others_add_none(gateway: Gateway, role: OrganizationRole) -> None:
    colleague = await join(gateway, role=role)
    refused = await colleague.get("POST", WORKSPACES, {"display_name": "Mine"}, status=403)
    assert refused["code"] == "permission_denied"
    assert "workspaces:create" in refused["detail"]
    assert len(await names_seen_by(await administrator(gateway))) == 1


@pytest.mark.parametrize("name", ["Research", "RESEARCH", " research ", "\uff32esearch"])
async def test_no_two_names_read_the_same(gateway: Gateway, name: str) -> None:
    admin = await administrator(gateway)
    research, other = await made(admin, "Research"), await made(admin, "Other")
    assert (await admin.ask("POST", WORKSPACES, {"display_name": name})).status == HTTPStatus.CONFLICT
    refused = await admin.get("PATCH", f"{WORKSPACES}/{other}", {"display_name": name}, status=409)
    assert "already a workspace" in refused["detail"]
    # Its own name may be written in another way.
    assert (await admin.ask("PATCH", f"{WORKSPACES}/{research}", {"display_name": name})).status == HTTPStatus.OK


@pytest.mark.parametrize(
    ("name", "said"),
    [("a,b", "comma"), ("", "between 1 and 80"), ("x" * 81, "between 1 and 80"), ("a\nb", "control"), (None, "text")],
)
async def test_name_that_breaks_a_rule_is_refused_where_it_stands(
    gateway: Gateway, name: str | None, said: str
) -> None:
    admin = await administrator(gateway)
    refused = await admin.get("POST", WORKSPACES, {"display_name": name}, status=422)
    [problem] = refused["detail"]
    assert problem["loc"] == ["body", "display_name"]
    assert said in problem["msg"]


async def test_running_check_tells_the_new_name_at_once(gateway: Gateway) -> None:
    """B4."""
    admin, ada = await administrator(gateway), await join(gateway)
    [default] = await admin.get("GET", WORKSPACES)
    assert await ada.workspace_on_check() == await admin.workspace_on_check() == "Default"
    await admin.get("PATCH", f"{WORKSPACES}/{default['id']}", {"display_name": "Headquarters"})
    assert await ada.workspace_on_check() == await admin.workspace_on_check() == "Headquarters"


async def test_new_workspace_is_everybodys_who_may_see_it_at_once(gateway: Gateway) -> None:
    admin, ada = await administrator(gateway), await join(gateway)
    assert len(await names_seen_by(admin)) == len(await names_seen_by(ada)) == 1
    await made(await join(gateway, "eve@example.com", role=OrganizationRole.OPERATOR), "Research")
    assert len(await names_seen_by(admin)) == 2
    assert len(await names_seen_by(ada)) == 1


async def test_removed_workspace_is_gone_with_its_memberships_and_people_stay(gateway: Gateway) -> None:
    admin, ada = await administrator(gateway), await join(gateway)
    [default] = await admin.get("GET", WORKSPACES)
    other = await made(admin, "Other")
    assert await ada.workspace_on_check() == "Default"
    await admin.get("DELETE", f"{WORKSPACES}/{default['id']}", status=204)
    assert await ada.workspace_on_check() == ""
    assert await names_seen_by(ada) == []
    assert await admin.workspace_on_check() == "Other"
    assert await rows(gateway, "SELECT count(*) FROM workspace_members WHERE workspace_id != ?", other) == [(0,)]
    assert (await admin.ask("DELETE", f"{WORKSPACES}/{default['id']}")).status == HTTPStatus.NOT_FOUND


@pytest.mark.both_databases
@pytest.mark.usefixtures("gateways_database")
async def test_last_workspace_stays_however_many_remove_at_once(gateway: Gateway) -> None:
    """N1."""
    admin = await administrator(gateway)
    for _ in range(10):
        await made(admin, "Other")
        ids = [one["id"] for one in await admin.get("GET", WORKSPACES)]
        answers = await asyncio.gather(*(admin.ask("DELETE", f"{WORKSPACES}/{one}") for one in ids))
        assert sorted(answer.status for answer in answers) == [HTTPStatus.NO_CONTENT, HTTPStatus.CONFLICT]
        [left] = await admin.get("GET", WORKSPACES)
        await admin.get("PATCH", f"{WORKSPACES}/{left['id']}", {"display_name": "Default"})
    [left] = await admin.get("GET", WORKSPACES)
    refused = await admin.get("DELETE", f"{WORKSPACES}/{left['id']}", status=409)
    assert "last workspace" in refused["detail"]


async def test_foreign_workspace_is_as_little_there_as_none(gateway: Gateway) -> None:
    """Whoever is not in it learns nothing of it, whatever they ask."""
    admin, operator = await administrator(gateway), await join(gateway, role=OrganizationRole.OPERATOR)
    foreign = await made(admin, "Secret")
    for method, path, body in (
        ("GET", "", None),
        ("PATCH", "", {"display_name": "Mine"}),
        ("GET", "/members", None),
        ("POST", "/members", {"email": operator.email, "role": "Admin"}),
        ("PATCH", f"/members/{admin.id}", {"role": "Viewer"}),
        ("DELETE", f"/members/{admin.id}", None),
    ):
        answers = [
            await operator.get(method, f"{WORKSPACES}/{one}{path}", body, status=404) for one in (foreign, NOWHERE)
        ]
        assert answers[0] == answers[1]
    assert (await admin.get("GET", f"{WORKSPACES}/{foreign}"))["display_name"] == "Secret"


async def test_each_change_is_audited_with_who_did_it(gateway: Gateway) -> None:
    admin = await administrator(gateway)
    workspace_id = await made(admin, "Research")
    await admin.get("PATCH", f"{WORKSPACES}/{workspace_id}", {"display_name": "Labs"})
    await admin.get("PATCH", f"{WORKSPACES}/{workspace_id}", {"display_name": "Labs"})
    await admin.get("DELETE", f"{WORKSPACES}/{workspace_id}", status=204)
    found = await rows(
        gateway,
        "SELECT actor, details ->> 'workspace', details ->> 'workspace_id', details ->> 'change' FROM audit_events"
        " WHERE kind = 'workspace_changed' ORDER BY id",
    )
    assert found == [
        (admin.id, "Research", workspace_id, "added"),
        (admin.id, "Labs", workspace_id, "renamed from Research"),
        (admin.id, "Labs", workspace_id, "removed"),
    ]
