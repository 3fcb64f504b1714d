"""`gateway service-account`, and `gateway key` for service accounts, beside a running gateway."""

from __future__ import annotations

from http import HTTPStatus

from aiohttp import ClientResponse

from tests.support.commands import run_command, run_gateway
from tests.support.gateway import ADMIN_EMAIL, Gateway
from tests.support.team import WORKSPACES, administrator
from tests.support.waiting import wait_for_answer

ADD = ("service-account", "add", "report")
MAKE_KEY = ("key", "create", "--service", "Report", "--name", "nightly")


async def test_account_and_its_key_are_made_and_ended_from_the_shell(gateway: Gateway) -> None:
    """K3: the running gateway acts on them within a second."""
    added = (await run_command(gateway, *ADD, "--json")).json
    assert (added["name"], added["role"]) == ("report", "Organization User")
    assert [(one["display_name"], one["role"]) for one in added["workspaces"]] == [("Default", "Editor")]
    first, second = [(await run_command(gateway, *MAKE_KEY, "--json")).json for _ in range(2)]
    assert first["owner"] == "service:report"
    assert first["key"].startswith("lc_sk_")
    for made in (first, second):
        passed = await gateway.check(X_API_Key=made["key"])
        assert passed.headers["Remote-User"] == "service:report"

    revoked = await run_command(gateway, "key", "revoke", first["id"], "--json")
    assert revoked.json == {"revoked": first["id"]}
    await wait_for_answer(lambda: gateway.check(X_API_Key=first["key"]), _is_refused)
    assert (await gateway.check(X_API_Key=second["key"])).status == HTTPStatus.OK

    removed = await run_command(gateway, "service-account", "remove", "report", "--yes", "--json")
    assert removed.json == {"removed": "report"}
    await wait_for_answer(lambda: gateway.check(X_API_Key=second["key"]), _is_refused)
    assert (await run_command(gateway, "key", "list", "--json")).json == []
    assert (await run_command(gateway, "service-account", "list", "--json")).json == []


async def test_keys_of_both_kinds_stand_in_one_list(gateway: Gateway) -> None:
    await run_command(gateway, *ADD)
    await run_command(gateway, *MAKE_KEY)
    await run_command(gateway, "key", "create", "--email", ADMIN_EMAIL, "--name", "mine")
    listed = (await run_command(gateway, "key", "list", "--json")).json
    assert [(key["owner"], key["name"]) for key in listed] == [(ADMIN_EMAIL, "mine"), ("service:report", "nightly")]
    of_service = (await run_command(gateway, "key", "list", "--service", "report", "--json")).json
    assert of_service == listed[1:]
    assert (await run_command(gateway, "key", "list", "--email", ADMIN_EMAIL, "--json")).json == listed[:1]
    assert "service:report" in (await run_command(gateway, "key", "list")).out


async def test_change_names_role_and_workspaces(gateway: Gateway) -> None:
    admin = await administrator(gateway)
    annex = (await admin.get("POST", WORKSPACES, {"display_name": "Annex"}))["id"]
    await run_command(gateway, *ADD)
    change = ("service-account", "change", "REPORT")
    role = ("--role", "Organization Viewer", "--workspace-role", "Viewer")
    changed = await run_command(gateway, *change, *role, "--workspace", annex, "--default-workspace", annex, "--json")
    assert changed.json["role"] == "Organization Viewer"
    assert [(one["id"], one["role"]) for one in changed.json["workspaces"]] == [(annex, "Viewer")]
    assert changed.json["default_workspace_id"] == annex
    assert (await run_command(gateway, "service-account", "show", "report", "--json")).json == changed.json
    empty = await run_command(gateway, *change, "--no-workspaces", "--no-default-workspace", "--json")
    assert (empty.json["workspaces"], empty.json["default_workspace_id"]) == ([], None)
    shown = (await run_command(gateway, "service-account", "show", "report")).out
    assert "Organization Viewer" in shown


async def test_roles_and_workspaces_are_named_as_elsewhere_in_the_shell(gateway: Gateway) -> None:
    await run_command(gateway, "workspace", "add", "Annex")
    options = (
        "--role",
        "operator",
        "--workspace",
        "annex",
        "--workspace-role",
        "viewer",
        "--default-workspace",
        "Annex",
    )
    added = (await run_command(gateway, *ADD, *options, "--json")).json
    assert added["role"] == "Organization Operator"
    [workspace] = added["workspaces"]
    assert (workspace["display_name"], workspace["role"]) == ("Annex", "Viewer")
    assert added["default_workspace_id"] == workspace["id"]


async def test_removal_is_asked_for(gateway: Gateway) -> None:
    """Every key of a program ends with it, and none of them comes back."""
    await run_command(gateway, *ADD)
    environ = {"GATEWAY_DATA_DIR": str(gateway.settings.data_dir)}
    for answer in ("n\n", ""):
        kept = await run_gateway("service-account", "remove", "report", environ=environ, stdin=answer)
        assert kept.code != 0
        assert "report" in kept.err
    assert len((await run_command(gateway, "service-account", "list", "--json")).json) == 1
    await run_command(gateway, "service-account", "remove", "report", stdin="y\n")
    assert (await run_command(gateway, "service-account", "list", "--json")).json == []


async def test_mistakes_are_named_without_a_traceback(gateway: Gateway) -> None:
    environ = {"GATEWAY_DATA_DIR": str(gateway.settings.data_dir)}
    mistakes = {
        ("service-account", "show", "nobody"): "gateway service-account list",
        ("service-account", "remove", "nobody", "--yes"): "gateway service-account list",
        ("service-account", "add", "a,b"): "comma",
        ("service-account", "add", "x", "--workspace", "none"): "no workspace none",
        ("service-account", "add", "x", "--role", "Owner"): "Organization Admin",
        ("service-account", "add", "x", "--workspace", "w", "--no-workspaces"): "or none",
        ("key", "create", "--service", "nobody", "--name", "x"): "gateway service-account list",
        ("key", "create", "--name", "x"): "by --email or by --service",
        ("key", "create", "--email", ADMIN_EMAIL, "--service", "report", "--name", "x"): "by --email or by --service",
        ("key", "list", "--email", ADMIN_EMAIL, "--service", "report"): "by --email or by --service",
    }
    for arguments, said in mistakes.items():
        finished = await run_gateway(*arguments, environ=environ)
        assert finished.code != 0, arguments
        assert said in finished.err, arguments
        assert "Traceback" not in finished.err, arguments


def _is_refused(response: ClientResponse) -> bool:
    return response.status == HTTPStatus.UNAUTHORIZED
