"""`gateway member` beside a running gateway: another process, the same database."""

from __future__ import annotations

from http import HTTPStatus

from tests.support.commands import Finished, run_command, run_gateway
from tests.support.gateway import ADMIN_EMAIL, Gateway, LoggedIn
from tests.support.letters import text_of
from tests.support.outbox import letters_in, read_letter
from tests.support.waiting import wait_for_answer

ANN, BOB = "ann@example.com", "bob@example.com"
PASSWORD = "anns own password"


async def add_ann(gateway: Gateway, *more: str) -> LoggedIn:
    await run_command(gateway, "member", "add", ANN, "--password-stdin", *more, stdin=f"{PASSWORD}\n")
    return await gateway.session(ANN, PASSWORD)


async def refused(gateway: Gateway, *arguments: str, stdin: str = "") -> Finished:
    environ = {"GATEWAY_DATA_DIR": str(gateway.settings.data_dir)}
    finished = await run_gateway("member", *arguments, environ=environ, stdin=stdin)
    assert finished.code != 0, arguments
    assert "Traceback" not in finished.err
    return finished


async def test_role_reaches_the_running_gateway_within_a_second(gateway: Gateway) -> None:
    """S3."""
    session = await add_ann(gateway)
    for role, name in (("viewer", "Organization Viewer"), ("Organization Admin", "Organization Admin")):
        assert (await run_command(gateway, "member", "role", ANN, role, "--json")).json["role"] == name
        await wait_for_answer(
            lambda: gateway.check(Cookie=session.cookie),
            lambda response, name=name: response.headers.get("Remote-Role") == name,  # type: ignore[misc]
        )


async def test_removed_person_is_refused_within_a_second_and_forgotten(gateway: Gateway) -> None:
    """S3."""
    session = await add_ann(gateway)
    assert (await gateway.check(Cookie=session.cookie)).status == HTTPStatus.OK
    removed = (await run_command(gateway, "member", "remove", ANN, "--yes", "--json")).json
    assert removed["removed"] == ANN
    await wait_for_answer(
        lambda: gateway.check(Cookie=session.cookie), lambda response: response.status == HTTPStatus.UNAUTHORIZED
    )
    assert (await run_command(gateway, "member", "list", "--json")).json[-1]["email"] == ADMIN_EMAIL
    await add_ann(gateway)


async def test_removing_asks_first(gateway: Gateway) -> None:
    await add_ann(gateway)
    for answer in ("n\n", "\n", ""):
        await refused(gateway, "remove", ANN, stdin=answer)
    assert len((await run_command(gateway, "member", "list", "--json")).json) == 2
    assert "Removed" in (await run_command(gateway, "member", "remove", ANN, stdin="y\n")).out


async def test_person_is_added_with_everything_that_can_be_said(gateway: Gateway) -> None:
    options = ("--name", "Bob B.", "--username", "Bob", "--role", "operator")
    where = ("--workspace", "default", "--workspace-role", "admin")
    added = (await run_command(gateway, "member", "add", BOB, *options, *where, "--json")).json
    assert (added["name"], added["username"], added["role"]) == ("Bob B.", "bob", "Organization Operator")
    assert len(added["workspace_ids"]) == 1
    assert added["must_change_password"]
    assert (await gateway.log_in(BOB, added["password"])).status == HTTPStatus.OK
    shown = (await run_command(gateway, "member", "show", BOB)).out
    assert added["password"] not in shown
    assert "Bob B." in shown


async def test_person_is_shown_in_words(gateway: Gateway) -> None:
    await run_command(gateway, "member", "add", ANN)
    shown = (await run_command(gateway, "member", "show", ANN)).out
    assert [line.split() for line in shown.splitlines() if line.startswith(("username", "must_change"))] == [
        ["username:", "-"],
        ["must_change_password:", "yes"],
    ]


async def test_mailed_password_is_not_printed(gateway: Gateway) -> None:
    added = await run_command(gateway, "member", "add", ANN, "--send-mail", "--json")
    assert "password" not in added.json
    text = text_of(await read_letter(gateway.settings.data_dir, to=ANN))
    [password] = [line for line in text.splitlines() if line.count("-") == 3 and len(line) == 23]
    assert (await gateway.log_in(ANN, password)).status == HTTPStatus.OK
    assert len(letters_in(gateway.settings.data_dir)) == 1


async def test_older_name_of_the_command_is_the_same(gateway: Gateway) -> None:
    arguments = ("user", "add", "--email", ANN, "--name", "Ann", "--admin", "--username", "ann", "--json")
    added = (await run_command(gateway, *arguments)).json
    assert (added["role"], added["username"]) == ("Organization Admin", "ann")
    assert (await run_command(gateway, "user", "role", ANN, "user", "--json")).json["role"] == "Organization User"


async def test_mistakes_are_named_without_a_traceback(gateway: Gateway) -> None:
    mistakes = {
        ("role", ADMIN_EMAIL, "user"): "last active Organization Admin",
        ("remove", ADMIN_EMAIL, "--yes"): "last active Organization Admin",
        ("role", "nobody@example.com", "user"): "no account",
        ("role", ADMIN_EMAIL, "king"): "Organization Viewer",
        ("add",): "e-mail address",
        ("add", ANN, "--email", BOB): "e-mail address",
        ("add", ANN, "--admin", "--role", "user"): "--role or --admin",
        ("add", ANN, "--workspace", "Nowhere"): "no workspace Nowhere",
        ("add", ANN, "--username", "admin"): "reserved",
        ("remove-second-factor", ADMIN_EMAIL): "no second factor",
    }
    for arguments, said in mistakes.items():
        assert said in (await refused(gateway, *arguments)).err, arguments
