"""`gateway workspace` beside a running gateway."""

from __future__ import annotations

from tests.support.commands import run_command, run_gateway
from tests.support.gateway import ADMIN_EMAIL, Gateway
from tests.support.team import join
from tests.support.waiting import wait_for_answer


async def test_changes_reach_a_running_gateway_within_a_second(gateway: Gateway) -> None:
    """B4."""
    ada = await join(gateway, in_default_workspace=False)

    async def becomes(workspace: str) -> None:
        await wait_for_answer(
            lambda: gateway.check(Cookie=ada.session.cookie),
            lambda answer: answer.headers["Remote-Workspace"] == workspace,
        )

    await becomes("")
    await run_command(gateway, "workspace", "add", "Research")
    await run_command(gateway, "workspace", "add-member", "research", ada.email)
    await becomes("Research")
    await run_command(gateway, "workspace", "rename", "Research", "Labs")
    await becomes("Labs")
    await run_command(gateway, "workspace", "remove", "Labs", "--yes")
    await becomes("")


async def test_workspaces_are_shown_with_their_members(gateway: Gateway) -> None:
    ada = await join(gateway)
    added = (await run_command(gateway, "workspace", "add", "Research", "--json")).json
    assert (added["display_name"], added["members"]) == ("Research", [])
    listed = (await run_command(gateway, "workspace", "list", "--json")).json
    assert [one["display_name"] for one in listed] == ["Default", "Research"]
    assert added["id"] in (await run_command(gateway, "workspace", "list")).out
    shown = (
        await run_command(gateway, "workspace", "add-member", added["id"], ada.email, "--role", "viewer", "--json")
    ).json
    assert [(one["email"], one["role"]) for one in shown["members"]] == [(ada.email, "Viewer")]
    await run_command(gateway, "workspace", "role", "Research", ada.email, "Editor")
    assert "Editor" in (await run_command(gateway, "workspace", "show", "RESEARCH")).out
    emptied = (await run_command(gateway, "workspace", "remove-member", "Research", ada.email, "--json")).json
    assert emptied == added
    removed = await run_command(gateway, "workspace", "remove", "Research", "--yes", "--json")
    assert removed.json == {"removed": added["id"]}


async def test_removal_is_asked_for(gateway: Gateway) -> None:
    await run_command(gateway, "workspace", "add", "Research")
    environ = {"GATEWAY_DATA_DIR": str(gateway.settings.data_dir)}
    for answer in ("n\n", ""):
        kept = await run_gateway("workspace", "remove", "Research", environ=environ, stdin=answer)
        assert kept.code != 0
        assert "Research" in kept.err
    assert len((await run_command(gateway, "workspace", "list", "--json")).json) == 2
    await run_command(gateway, "workspace", "remove", "Research", stdin="y\n")
    assert len((await run_command(gateway, "workspace", "list", "--json")).json) == 1


async def test_mistakes_are_named_without_a_traceback(gateway: Gateway) -> None:
    environ = {"GATEWAY_DATA_DIR": str(gateway.settings.data_dir)}
    mistakes = {
        ("add", "DEFAULT"): "already a workspace",
        ("add", "a,b"): "comma",
        ("rename", "nowhere", "x"): "gateway workspace list",
        ("show", "nowhere"): "gateway workspace list",
        ("remove", "Default", "--yes"): "last workspace",
        ("add-member", "Default", "nobody@example.com"): "nobody@example.com",
        ("add-member", "Default", ADMIN_EMAIL): "already",
        ("role", "Default", ADMIN_EMAIL, "Owner"): "Admin, Editor, Viewer",
        ("role", "Default", ADMIN_EMAIL, "Viewer"): "every workspace",
    }
    for arguments, said in mistakes.items():
        finished = await run_gateway("workspace", *arguments, environ=environ)
        assert finished.code != 0, arguments
        assert said in finished.err, arguments
        assert "Traceback" not in finished.err, arguments
