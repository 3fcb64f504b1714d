"""`gateway session` beside a running gateway."""

from __future__ import annotations

from http import HTTPStatus

from tests.support.commands import run_command, run_gateway
from tests.support.gateway import ADMIN_EMAIL, Gateway
from tests.support.newcomers import rows
from tests.support.team import Colleague, administrator, join
from tests.support.waiting import wait_for_answer


async def _is_refused(colleague: Colleague) -> None:
    await wait_for_answer(
        lambda: colleague.gateway.check(Cookie=colleague.session.cookie),
        lambda answer: answer.status == HTTPStatus.UNAUTHORIZED,
    )


async def _passes(colleague: Colleague) -> bool:
    return (await colleague.gateway.check(Cookie=colleague.session.cookie)).status == HTTPStatus.OK


async def test_sessions_are_listed_with_whose_they_are(gateway: Gateway) -> None:
    admin, ada = await administrator(gateway), await join(gateway)
    listed = (await run_command(gateway, "session", "list", "--json")).json
    assert [one["email"] for one in listed] == [ada.email, admin.email]
    own = (await run_command(gateway, "session", "list", "--email", ada.email.upper(), "--json")).json
    assert own == listed[:1]
    assert set(own[0]) == {
        "id",
        "email",
        "device",
        "user_agent",
        "client_address",
        "created_at",
        "last_seen_at",
    }
    table = (await run_command(gateway, "session", "list")).out
    assert own[0]["id"] in table
    assert ada.email in table


async def test_ended_session_is_refused_by_a_running_gateway_within_a_second(gateway: Gateway) -> None:
    """B4, J6."""
    admin, ada = await administrator(gateway), await join(gateway)
    assert await _passes(ada)
    [own] = (await run_command(gateway, "session", "list", "--email", ada.email, "--json")).json
    assert (await run_command(gateway, "session", "end", own["id"], "--json")).json == {"ended": 1}
    await _is_refused(ada)
    assert await _passes(admin)
    [(actor, email)] = await rows(gateway, "SELECT actor, email FROM audit_events WHERE kind = 'session_ended'")
    assert actor.startswith("command line (")
    assert email == ada.email


async def test_all_sessions_of_one_or_of_everybody_end(gateway: Gateway) -> None:
    admin, ada = await administrator(gateway), await join(gateway)
    assert await _passes(ada)
    assert await _passes(admin)
    ended = await run_command(gateway, "session", "end-all", ada.email, "--yes", "--json")
    assert ended.json == {"ended": 1}
    await _is_refused(ada)
    assert await _passes(admin)
    await join(gateway, "eve@example.com")
    assert (await run_command(gateway, "session", "end-all", "--everybody", "--yes", "--json")).json == {"ended": 2}
    await _is_refused(admin)
    assert (await run_command(gateway, "session", "list", "--json")).json == []


async def test_half_finished_logins_end_with_everybodys_sessions(gateway: Gateway) -> None:
    """Somebody may have one and no session."""
    admin = await administrator(gateway)
    await rows(
        gateway,
        "INSERT INTO challenges VALUES ('c', ?, x'00', 0, 0, '2026-01-01 00:00:00', '2999-01-01 00:00:00')",
        admin.id,
    )
    await rows(gateway, "DELETE FROM sessions")
    await run_command(gateway, "session", "end-all", "--everybody", "--yes")
    assert await rows(gateway, "SELECT count(*) FROM challenges") == [(0,)]


async def test_ending_many_is_asked_for(gateway: Gateway) -> None:
    admin = await administrator(gateway)
    environ = {"GATEWAY_DATA_DIR": str(gateway.settings.data_dir)}
    for arguments in (("--everybody",), (ADMIN_EMAIL,)):
        kept = await run_gateway("session", "end-all", *arguments, environ=environ, stdin="n\n")
        assert kept.code != 0
    assert await _passes(admin)
    assert "Sessions ended: 1." in (await run_command(gateway, "session", "end-all", ADMIN_EMAIL, stdin="y\n")).out


async def test_mistakes_are_named_without_a_traceback(gateway: Gateway) -> None:
    environ = {"GATEWAY_DATA_DIR": str(gateway.settings.data_dir)}
    mistakes = {
        ("end", "nothing"): "no such session",
        ("end-all",): "--everybody",
        ("end-all", ADMIN_EMAIL, "--everybody"): "--everybody",
        ("end-all", "nobody@example.com", "--yes"): "nobody@example.com",
        ("list", "--email", "nobody@example.com"): "nobody@example.com",
    }
    for arguments, said in mistakes.items():
        finished = await run_gateway("session", *arguments, environ=environ)
        assert finished.code != 0, arguments
        assert said in finished.err, arguments
        assert "Traceback" not in finished.err, arguments
