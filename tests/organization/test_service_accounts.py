"""Service accounts over the API, and what a check with a key of theirs says."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import pytest

from gateway.models import OrganizationRole
from tests.support.gateway import Gateway
from tests.support.team import WORKSPACES, Colleague, administrator, join

ACCOUNTS = "/api/v1/service-accounts"
KEYS = "/api/v1/orgs/current/service-keys"
NOWHERE = "0b5f4a4e-9f0e-4f2e-8f39-6a6b51a0a001"


async def made(colleague: Colleague, name: str = "report", **more: object) -> dict[str, Any]:
    added: dict[str, Any] = await colleague.get("POST", ACCOUNTS, {"name": name, **more})
    return added


async def key_of(colleague: Colleague, account: dict[str, Any]) -> str:
    body = {"service_account_id": account["id"], "description": "a key"}
    return str((await colleague.get("POST", KEYS, body))["key"])


async def workspaces_of(colleague: Colleague, *names: str) -> list[str]:
    """Give the default workspace's id, and those of new ones."""
    for name in names:
        await colleague.get("POST", WORKSPACES, {"display_name": name})
    return [one["id"] for one in await colleague.get("GET", WORKSPACES)]


def _roles(account: dict[str, Any]) -> dict[str, str]:
    return {one["id"]: one["role"] for one in account["workspaces"]}


async def test_new_one_is_an_organization_user_in_the_default_workspace(gateway: Gateway) -> None:
    admin = await administrator(gateway)
    [default] = await workspaces_of(admin)
    added = await made(admin, "  Nightly report ")
    assert set(added) == {"id", "name", "role", "workspaces", "default_workspace_id", "created_at"}
    assert (added["name"], added["role"], added["default_workspace_id"]) == (
        "Nightly report",
        "Organization User",
        None,
    )
    assert added["workspaces"] == [{"id": default, "display_name": "Default", "role": "Editor"}]
    assert await admin.get("GET", ACCOUNTS) == [added]
    assert await admin.get("GET", f"{ACCOUNTS}/{added['id']}") == added


async def test_role_and_workspaces_are_as_was_said(gateway: Gateway) -> None:
    admin = await administrator(gateway)
    default, annex = await workspaces_of(admin, "Annex")
    said = await made(admin, workspaces=[annex], workspace_role="Viewer", default_workspace_id=annex)
    assert (_roles(said), said["default_workspace_id"]) == ({annex: "Viewer"}, annex)
    assert (await made(admin, "nowhere", workspaces=[]))["workspaces"] == []
    assert _roles(await made(admin, "reader", role="Organization Viewer")) == {default: "Viewer"}
    everywhere = await made(admin, "all", role="Organization Admin", workspaces=[], default_workspace_id=annex)
    assert _roles(everywhere) == {default: "Admin", annex: "Admin"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": "a,b"}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"name": "x", "role": "Owner"}, "role"),
        ({"name": "x", "workspaces": [NOWHERE]}, "workspaces"),
        ({"name": "x", "workspaces": "all"}, "workspaces"),
        ({"name": "x", "workspace_role": "Owner"}, "workspace_role"),
        ({"name": "x", "default_workspace_id": NOWHERE}, "default_workspace_id"),
    ],
)
async def test_broken_rule_is_named_and_adds_nothing(gateway: Gateway, body: object, field: str) -> None:
    admin = await administrator(gateway)
    refused = await admin.get("POST", ACCOUNTS, body, status=422)
    assert [problem["loc"] for problem in refused["detail"]] == [["body", field]]
    assert await admin.get("GET", ACCOUNTS) == []


@pytest.mark.parametrize("name", ["Report", "REPORT", " report ", "\uff32eport"])
async def test_no_two_names_read_the_same(gateway: Gateway, name: str) -> None:
    admin = await administrator(gateway)
    await made(admin, "Report")
    refused = await admin.get("POST", ACCOUNTS, {"name": name}, status=409)
    assert "already a service account" in refused["detail"]


@pytest.mark.parametrize("role", [OrganizationRole.OPERATOR, OrganizationRole.USER, OrganizationRole.VIEWER])
async def test_only_admins_manage_them_and_operators_see_them(gateway: Gateway, role: OrganizationRole) -> None:
    admin, other = await administrator(gateway), await join(gateway, role=role)
    account = await made(admin)
    one = f"{ACCOUNTS}/{account['id']}"
    seen = HTTPStatus.OK if role is OrganizationRole.OPERATOR else HTTPStatus.FORBIDDEN
    for path in (ACCOUNTS, one, KEYS):
        assert (await other.ask("GET", path)).status == seen, path
    new_key = {"service_account_id": account["id"], "description": "mine"}
    for method, path, body in (
        ("POST", ACCOUNTS, {"name": "other"}),
        ("PATCH", one, {"role": "Organization Admin"}),
        ("DELETE", one, None),
        ("POST", KEYS, new_key),
        ("POST", f"{KEYS}/{NOWHERE}/rotate", None),
        ("DELETE", f"{KEYS}/{NOWHERE}", None),
    ):
        refused = await other.get(method, path, body, status=403)
        assert refused["code"] == "permission_denied"
    assert await admin.get("GET", ACCOUNTS) == [account]
    assert await admin.get("GET", KEYS) == []


async def test_one_that_is_not_there_is_not_found(gateway: Gateway) -> None:
    admin = await administrator(gateway)
    for method in ("GET", "PATCH", "DELETE"):
        assert (await admin.get(method, f"{ACCOUNTS}/{NOWHERE}", status=404))["detail"]


async def test_check_with_its_key_says_who_asks(gateway: Gateway) -> None:
    admin = await administrator(gateway)
    key = await key_of(admin, await made(admin, "Nightly report"))
    answer = await gateway.check(X_API_Key=key)
    assert answer.status == HTTPStatus.OK
    assert answer.headers["Remote-User"] == "service:Nightly report"
    assert answer.headers["Remote-Role"] == "Organization User"
    assert answer.headers["Remote-Workspace"] == "Default"
    assert answer.headers["Remote-Auth-Method"] == "api_key"


async def test_change_is_felt_by_the_next_check(gateway: Gateway) -> None:
    admin = await administrator(gateway)
    default, annex = await workspaces_of(admin, "Annex")
    account = await made(admin)
    key, one = await key_of(admin, account), f"{ACCOUNTS}/{account['id']}"
    assert (await gateway.check(X_API_Key=key)).headers["Remote-Workspace"] == "Default"

    changed = await admin.get("PATCH", one, {"role": "Organization Viewer", "workspaces": [annex]})
    assert (changed["role"], _roles(changed)) == ("Organization Viewer", {annex: "Viewer"})
    answer = await gateway.check(X_API_Key=key)
    assert (answer.headers["Remote-Role"], answer.headers["Remote-Workspace"]) == ("Organization Viewer", "Annex")

    both = await admin.get("PATCH", one, {"workspaces": [default, annex], "default_workspace_id": default})
    assert (set(_roles(both)), both["default_workspace_id"]) == ({default, annex}, default)
    assert (await gateway.check(X_API_Key=key)).headers["Remote-Workspace"] == "Default"
    assert (await admin.get("PATCH", one, {}))["default_workspace_id"] == default
    assert (await admin.get("PATCH", one, {"default_workspace_id": None}))["default_workspace_id"] is None


async def test_change_keeps_what_it_does_not_name(gateway: Gateway) -> None:
    admin = await administrator(gateway)
    default, annex = await workspaces_of(admin, "Annex")
    account = await made(admin, workspaces=[annex], workspace_role="Viewer", default_workspace_id=annex)
    one = f"{ACCOUNTS}/{account['id']}"
    wider = await admin.get("PATCH", one, {"workspaces": [annex, default]})
    assert (_roles(wider), wider["default_workspace_id"]) == ({annex: "Viewer", default: "Editor"}, annex)
    assert _roles(await admin.get("PATCH", one, {"workspace_role": "Admin"})) == {annex: "Admin", default: "Admin"}
    left = await admin.get("PATCH", one, {"workspaces": [default]})
    assert left["default_workspace_id"] is None, "it may not enter that one any more"
    refused = await admin.get("PATCH", one, {"default_workspace_id": annex}, status=422)
    assert [problem["loc"] for problem in refused["detail"]] == [["body", "default_workspace_id"]]
    assert await admin.get("GET", one) == left


async def test_removal_is_the_end_of_its_keys_and_of_no_others(gateway: Gateway) -> None:
    """K3."""
    admin = await administrator(gateway)
    gone, kept = await made(admin, "gone"), await made(admin, "kept")
    keys, other = [await key_of(admin, gone) for _ in range(2)], await key_of(admin, kept)
    for key in (*keys, other):
        assert (await gateway.check(X_API_Key=key)).status == HTTPStatus.OK
    await admin.get("DELETE", f"{ACCOUNTS}/{gone['id']}", status=204)
    for key in keys:
        refused = await gateway.check(X_API_Key=key)
        assert (refused.status, refused.headers["X-Auth-Reason"]) == (HTTPStatus.UNAUTHORIZED, "invalid_api_key")
    assert (await gateway.check(X_API_Key=other)).status == HTTPStatus.OK
    assert [key["service_account_id"] for key in await admin.get("GET", KEYS)] == [kept["id"]]
    await admin.get("DELETE", f"{ACCOUNTS}/{gone['id']}", status=404)


async def test_name_can_be_taken_again_and_opens_nothing_of_before(gateway: Gateway) -> None:
    admin = await administrator(gateway)
    account = await made(admin)
    key = await key_of(admin, account)
    await admin.get("DELETE", f"{ACCOUNTS}/{account['id']}", status=204)
    assert (await made(admin))["id"] != account["id"]
    assert (await gateway.check(X_API_Key=key)).status == HTTPStatus.UNAUTHORIZED


async def test_admin_of_programs_never_stands_in_for_the_last_administrator(gateway: Gateway) -> None:
    """A service account cannot log in: whoever disabled the last person could not be let in again."""
    admin = await administrator(gateway)
    await made(admin, role="Organization Admin")
    refused = await admin.get("PATCH", f"/api/v1/orgs/current/members/{admin.id}", {"disabled": True}, status=409)
    assert "last active Organization Admin" in refused["detail"]
