"""Who is in a workspace: changed over the API, and felt by what runs."""

from __future__ import annotations

import asyncio
from collections import Counter
from http import HTTPStatus
from typing import Any

import pytest

from gateway.facts.facts import account_subject
from gateway.models import OrganizationRole
from tests.support.gateway import Gateway
from tests.support.newcomers import rows
from tests.support.team import WORKSPACES, Colleague, administrator, join


async def workspace_of(admin: Colleague, name: str) -> str:
    """Add a workspace, and give the address of its members."""
    made = await admin.get("POST", WORKSPACES, {"display_name": name})
    return f"{WORKSPACES}/{made['id']}/members"


async def roles_in(admin: Colleague, members: str) -> dict[str, str]:
    listed = await admin.get("GET", members)
    return {one["email"]: one["role"] for one in listed["members"]}


async def test_members_are_listed_by_their_addresses(gateway: Gateway) -> None:
    admin, ada = await administrator(gateway), await join(gateway)
    members = await workspace_of(admin, "Research")
    added = await admin.get("POST", members, {"email": " ADA@example.com ", "role": "Viewer"})
    assert added == {
        "id": ada.id,
        "email": ada.email,
        "full_name": "Ada",
        "role": "Viewer",
        "created_at": added["created_at"],
    }
    listed = await ada.get("GET", members)
    assert listed["tenant_id"] == members.split("/")[4]
    assert listed["pending"] == []
    assert listed["members"][0] == added
    assert [one["email"] for one in listed["members"]] == [ada.email, admin.email]


async def test_membership_reaches_running_checks_with_its_answer(gateway: Gateway) -> None:
    """B4."""
    admin = await administrator(gateway)
    ada = await join(gateway, in_default_workspace=False)
    members = await workspace_of(admin, "Research")
    assert await ada.workspace_on_check() == ""
    await admin.get("POST", members, {"user_id": ada.id, "role": "Editor"})
    assert await ada.workspace_on_check() == "Research"
    await admin.get("DELETE", f"{members}/{ada.id}", status=204)
    assert await ada.workspace_on_check() == ""


async def test_role_counts_from_the_answer_on_and_no_longer(gateway: Gateway) -> None:
    """B4."""
    admin, ada, eve = await administrator(gateway), await join(gateway), await join(gateway, "eve@example.com")
    members = await workspace_of(admin, "Research")
    await admin.get("POST", members, {"email": ada.email, "role": "Editor"})
    invite = {"email": eve.email, "role": "Viewer"}
    assert (await ada.ask("POST", members, invite)).status == HTTPStatus.FORBIDDEN
    changed = await admin.get("PATCH", f"{members}/{ada.id}", {"role": "Admin"})
    assert changed["role"] == "Admin"
    await ada.get("POST", members, invite)
    await ada.get("PATCH", f"{members}/{eve.id}", {"role": "Editor"})
    await admin.get("PATCH", f"{members}/{ada.id}", {"role": "Viewer"})
    assert (await ada.ask("DELETE", f"{members}/{eve.id}")).status == HTTPStatus.FORBIDDEN
    assert await roles_in(ada, members) == {admin.email: "Admin", ada.email: "Viewer", eve.email: "Editor"}


async def test_only_whom_a_change_concerns_is_read_anew(gateway: Gateway) -> None:
    admin, ada = await administrator(gateway), await join(gateway)
    members = await workspace_of(admin, "Research")
    [(before,)] = await rows(gateway, "SELECT max(number) FROM invalidations")
    await admin.get("POST", members, {"email": ada.email, "role": "Editor"})
    await admin.get("PATCH", f"{members}/{ada.id}", {"role": "Editor"})
    await admin.get("PATCH", f"{members}/{ada.id}", {"role": "Viewer"})
    await admin.get("DELETE", f"{members}/{ada.id}", status=204)
    appended = await rows(gateway, "SELECT subject FROM invalidations WHERE number > ?", before)
    assert appended == [(account_subject(ada.id),)] * 3, "what changes nothing is no change"
    audited = await rows(
        gateway,
        "SELECT actor, email, details ->> 'change', details ->> 'role' FROM audit_events"
        " WHERE kind = 'workspace_changed' AND account_id = ? ORDER BY id",
        ada.id,
    )
    assert audited == [
        (admin.id, ada.email, "member added", "Editor"),
        (admin.id, ada.email, "role changed", "Viewer"),
        (admin.id, ada.email, "member removed", "Viewer"),
    ]


@pytest.mark.both_databases
@pytest.mark.usefixtures("gateways_database")
async def test_of_many_who_add_the_same_person_one_succeeds(gateway: Gateway) -> None:
    """N1."""
    admin, ada = await administrator(gateway), await join(gateway)
    members = await workspace_of(admin, "Research")
    body = {"email": ada.email, "role": "Editor"}
    answers = await asyncio.gather(*(admin.ask("POST", members, body) for _ in range(10)))
    assert Counter(answer.status for answer in answers) == {HTTPStatus.OK: 1, HTTPStatus.CONFLICT: 9}
    refused = next(answer for answer in answers if answer.status == HTTPStatus.CONFLICT)
    assert "change the role" in (await refused.json())["detail"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"role": "Editor"}, "email"),
        ({"email": "ada@example.com", "user_id": "x", "role": "Editor"}, "email"),
        ({"email": "nobody@example.com", "role": "Editor"}, "email"),
        ({"email": "no address", "role": "Editor"}, "email"),
        ({"user_id": "x", "role": "Editor"}, "user_id"),
        ({"email": "ada@example.com"}, "role"),
        ({"email": "ada@example.com", "role": "Organization Admin"}, "role"),
        ({"email": "ada@example.com", "role": "admin"}, "role"),
    ],
)
async def test_mistake_is_named_with_its_field(gateway: Gateway, body: dict[str, Any], field: str) -> None:
    admin, ada = await administrator(gateway), await join(gateway)
    members = await workspace_of(admin, "Research")
    refused = await admin.get("POST", members, body, status=422)
    assert [problem["loc"] for problem in refused["detail"]] == [["body", field]]
    assert ada.email not in await roles_in(admin, members)


async def test_whoever_is_not_in_it_can_be_neither_changed_nor_taken_out(gateway: Gateway) -> None:
    admin, ada = await administrator(gateway), await join(gateway)
    members = await workspace_of(admin, "Research")
    for someone in (ada.id, "x"):
        await admin.get("PATCH", f"{members}/{someone}", {"role": "Viewer"}, status=404)
        await admin.get("DELETE", f"{members}/{someone}", status=404)


async def test_organization_admin_is_an_admin_of_every_workspace_listed_or_not(gateway: Gateway) -> None:
    operator = await join(gateway, "olga@example.com", role=OrganizationRole.OPERATOR)
    admin, second = await administrator(gateway), await join(gateway, role=OrganizationRole.ADMIN)
    members = await workspace_of(operator, "Research")
    assert await roles_in(admin, members) == {operator.email: "Admin"}
    await admin.get("PATCH", f"{members}/{operator.id}", {"role": "Viewer"})
    for role in ("Editor", "Viewer"):
        refused = await admin.get("POST", members, {"email": second.email, "role": role}, status=409)
        assert "every workspace" in refused["detail"]
    await admin.get("POST", members, {"email": second.email, "role": "Admin"})
    await admin.get("PATCH", f"{members}/{second.id}", {"role": "Viewer"}, status=409)
    await admin.get("DELETE", f"{members}/{second.id}", status=204)
    assert (await second.ask("GET", members)).status == HTTPStatus.OK


async def test_role_of_whoever_became_an_organization_admin_reads_as_it_counts(gateway: Gateway) -> None:
    admin, ada = await administrator(gateway), await join(gateway)
    members = await workspace_of(admin, "Research")
    await admin.get("POST", members, {"email": ada.email, "role": "Viewer"})
    assert (await roles_in(admin, members))[ada.email] == "Viewer"
    await rows(gateway, "UPDATE accounts SET role = ? WHERE id = ?", OrganizationRole.ADMIN, ada.id)
    assert (await roles_in(admin, members))[ada.email] == "Admin"
