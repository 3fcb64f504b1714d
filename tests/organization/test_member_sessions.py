"""Other people's sessions: seen and ended by an administrator."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from http import HTTPStatus
from typing import Any

import pytest

from gateway.models import OrganizationRole
from tests.support.gateway import Gateway
from tests.support.newcomers import rows
from tests.support.refreshing import log_in_program
from tests.support.second_factor import enrol, finish, half_log_in
from tests.support.team import PASSWORD, Colleague, administrator, join

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def sessions_of(colleague: Colleague) -> str:
    return f"/api/v1/orgs/current/members/{colleague.id}/sessions"


async def audited(gateway: Gateway) -> list[tuple[Any, ...]]:
    statement = "SELECT actor, account_id, email, details FROM audit_events WHERE kind = 'session_ended'"
    return [(*who, json.loads(details).get("reason")) for *who, details in await rows(gateway, statement)]


async def test_sessions_of_a_member_are_listed_without_any_secret(gateway: Gateway) -> None:
    admin, ada = await administrator(gateway), await join(gateway)
    program = await log_in_program(gateway, ada.email, PASSWORD, **{"User-Agent": FIREFOX})
    listed = await admin.get("GET", sessions_of(ada))
    assert [one["device"] for one in listed] == ["Firefox on Linux", listed[1]["device"]]
    assert set(listed[0]) == {
        "id",
        "device",
        "user_agent",
        "client_address",
        "created_at",
        "last_seen_at",
        "current",
    }
    assert not any(one["current"] for one in listed)
    for secret in (program.session_token, program.refresh_token, program.access_token):
        assert secret not in str(listed)
    assert [one["current"] for one in await admin.get("GET", sessions_of(admin))] == [True]


async def test_ended_session_is_refused_at_once_and_the_others_go_on(gateway: Gateway) -> None:
    """S3, J6."""
    admin, ada = await administrator(gateway), await join(gateway)
    lost = await log_in_program(gateway, ada.email, PASSWORD)
    assert await lost.counts()
    newest, _ = await admin.get("GET", sessions_of(ada))
    await admin.get("DELETE", f"{sessions_of(ada)}/{newest['id']}", status=204)
    assert not await lost.counts()
    assert (await lost.refresh()).status == HTTPStatus.FORBIDDEN
    assert (await gateway.check(Authorization=lost.bearer)).status == HTTPStatus.UNAUTHORIZED
    assert (await gateway.check(Cookie=ada.session.cookie)).status == HTTPStatus.OK
    assert await audited(gateway) == [(admin.id, ada.id, ada.email, "ended by an administrator")]
    assert (await admin.ask("DELETE", f"{sessions_of(ada)}/{newest['id']}")).status == HTTPStatus.NOT_FOUND


async def test_all_sessions_of_a_member_end_and_nobody_elses(gateway: Gateway) -> None:
    admin, ada = await administrator(gateway), await join(gateway)
    programs = [await log_in_program(gateway, ada.email, PASSWORD) for _ in range(2)]
    assert await programs[0].counts()
    await admin.get("DELETE", sessions_of(ada), status=204)
    assert not any([await program.counts() for program in programs])
    assert (await gateway.check(Cookie=ada.session.cookie)).status == HTTPStatus.UNAUTHORIZED
    assert (await gateway.check(Cookie=admin.session.cookie)).status == HTTPStatus.OK
    assert Counter(await audited(gateway)) == {(admin.id, ada.id, ada.email, "ended by an administrator"): 3}
    await admin.get("DELETE", sessions_of(ada), status=204)
    assert len(await audited(gateway)) == 3


async def test_half_finished_login_ends_with_the_sessions(gateway: Gateway) -> None:
    """Whoever has the password and waits with the code would be back a moment later."""
    admin, ada = await administrator(gateway), await join(gateway)
    enrolled = await enrol(gateway, ada.email, PASSWORD)
    waiting = await half_log_in(gateway, ada.email, PASSWORD)
    await admin.get("DELETE", sessions_of(ada), status=204)
    refused = await finish(gateway, waiting, enrolled.app.recovery_codes[0])
    assert refused.status == HTTPStatus.UNAUTHORIZED
    assert "expired" in (await refused.json())["message"]


async def test_session_is_found_with_its_own_member_only(gateway: Gateway) -> None:
    admin, ada = await administrator(gateway), await join(gateway)
    [own] = await admin.get("GET", sessions_of(admin))
    await admin.get("DELETE", f"{sessions_of(ada)}/{own['id']}", status=404)
    nobody = "/api/v1/orgs/current/members/x/sessions"
    for method, path in (("GET", nobody), ("DELETE", nobody), ("DELETE", f"{nobody}/{own['id']}")):
        await admin.get(method, path, status=404)
    assert (await gateway.check(Cookie=admin.session.cookie)).status == HTTPStatus.OK


@pytest.mark.both_databases
@pytest.mark.usefixtures("gateways_database")
async def test_of_many_who_end_a_session_at_once_one_does(gateway: Gateway) -> None:
    """N1."""
    admin, ada = await administrator(gateway), await join(gateway)
    [only] = await admin.get("GET", sessions_of(ada))
    answers = await asyncio.gather(*(admin.ask("DELETE", f"{sessions_of(ada)}/{only['id']}") for _ in range(10)))
    assert Counter(answer.status for answer in answers) == {HTTPStatus.NO_CONTENT: 1, HTTPStatus.NOT_FOUND: 9}
    assert len(await audited(gateway)) == 1


async def test_nobody_but_an_admin_sees_or_ends_them(gateway: Gateway) -> None:
    admin = await administrator(gateway)
    [own] = await admin.get("GET", sessions_of(admin))
    for colleague in (await join(gateway, role=OrganizationRole.OPERATOR), await join(gateway, "eve@example.com")):
        for method, path in (
            ("GET", sessions_of(admin)),
            ("DELETE", sessions_of(admin)),
            ("DELETE", f"{sessions_of(admin)}/{own['id']}"),
            ("GET", sessions_of(colleague)),
        ):
            assert (await colleague.ask(method, path)).status == HTTPStatus.FORBIDDEN
    assert (await gateway.check(Cookie=admin.session.cookie)).status == HTTPStatus.OK
