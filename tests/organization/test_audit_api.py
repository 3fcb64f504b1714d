"""The audit log over the API."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import Any

import pytest

from gateway.models import OrganizationRole
from tests.support.commands import run_command
from tests.support.gateway import Gateway
from tests.support.team import WORKSPACES, Colleague, administrator, join

AUDIT = "/api/v1/orgs/current/audit"


async def events(admin: Colleague, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await admin.get("GET", f"{AUDIT}{query}"))["events"]
    return found


async def make_noise(admin: Colleague, count: int) -> None:
    for number in range(count):
        await admin.get("POST", WORKSPACES, {"display_name": f"Workspace {number}"})


async def test_events_read_as_the_command_line_prints_them(gateway: Gateway) -> None:
    admin = await administrator(gateway)
    await make_noise(admin, 2)
    page = await admin.get("GET", AUDIT)
    assert page["next"] is None
    # They may have been sealed in between.
    printed = (await run_command(gateway, "audit", "list", "--json")).json
    unsealed = [{**one, "number": None, "seal": None} for one in page["events"]]
    assert unsealed == [{**one, "number": None, "seal": None} for one in printed]
    assert [one["kind"] for one in unsealed[:2]] == ["workspace_changed"] * 2
    assert unsealed[0]["details"]["workspace"] == "Workspace 1"
    assert unsealed[0]["actor"] == admin.id


async def test_pages_join_without_gap_or_repetition_while_more_happens(gateway: Gateway) -> None:
    admin = await administrator(gateway)
    await make_noise(admin, 5)
    whole = [one["id"] for one in await events(admin)]
    assert whole == sorted(whole, reverse=True)
    collected, cursor = [], ""
    while True:
        page = await admin.get("GET", f"{AUDIT}?limit=2{cursor}")
        collected += [one["id"] for one in page["events"]]
        assert len(page["events"]) <= 2
        if page["next"] is None:
            break
        cursor = f"&before={page['next']}"
        await admin.get("POST", WORKSPACES, {"display_name": f"Later {page['next']}"})
    assert collected == whole


async def test_page_that_holds_just_the_rest_is_the_last(gateway: Gateway) -> None:
    admin = await administrator(gateway)
    await make_noise(admin, 3)
    count = len(await events(admin))
    assert (await admin.get("GET", f"{AUDIT}?limit={count}"))["next"] is None
    assert (await admin.get("GET", f"{AUDIT}?limit={count - 1}"))["next"] is not None
    assert await admin.get("GET", f"{AUDIT}?before=1") == {"events": [], "next": None}


async def test_each_filter_leaves_only_what_was_asked_for(gateway: Gateway) -> None:
    admin, ada = await administrator(gateway), await join(gateway)
    await gateway.log_in(ada.email, "wrong, and rather long")
    await make_noise(admin, 1)
    [default] = [one for one in await admin.get("GET", WORKSPACES) if one["display_name"] == "Default"]
    await admin.get("DELETE", f"{WORKSPACES}/{default['id']}/members/{ada.id}", status=204)
    everything = await events(admin)
    for query, wanted in (
        ("kind=login", lambda one: one["kind"] == "login"),
        ("kind=login&kind=workspace_changed", lambda one: one["kind"] in {"login", "workspace_changed"}),
        ("succeeded=false", lambda one: not one["succeeded"]),
        ("succeeded=true", lambda one: one["succeeded"]),
        (f"actor={admin.id}", lambda one: one["actor"] == admin.id),
        (f"email={ada.email.upper()}", lambda one: one["email"] == ada.email),
        (f"email={ada.email}&kind=login&succeeded=false", lambda one: not one["succeeded"]),
        (f"since={everything[1]['at']}", lambda one: one["at"] >= everything[1]["at"]),
        (f"until={everything[1]['at']}", lambda one: one["at"] < everything[1]["at"]),
        ("unknown=1", lambda _: True),
    ):
        expected = [one["id"] for one in everything if wanted(one)]
        assert 0 < len(expected) <= len(everything)
        assert [one["id"] for one in await events(admin, f"?{query}")] == expected, query


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=ten", "limit"),
        ("limit=", "limit"),
        ("limit=1.0", "limit"),
        ("limit=%2B5", "limit"),
        ("limit=5&limit=5", "limit"),
        ("before=0", "before"),
        ("before=-1", "before"),
        ("before=9007199254740992", "before"),
        ("before=" + "9" * 5000, "before"),
        ("kind=logins", "kind"),
        ("kind=login&kind=x", "kind"),
        ("email=nobody", "email"),
        ("email=%00", "email"),
        ("actor=%00", "actor"),
        ("actor=" + "x" * 81, "actor"),
        ("succeeded=yes", "succeeded"),
        ("succeeded=1", "succeeded"),
        ("since=yesterday", "since"),
        ("until=2026-W01-1", "until"),
    ],
)
async def test_bad_parameter_is_named(gateway: Gateway, query: str, parameter: str) -> None:
    admin = await administrator(gateway)
    refused = await admin.get("GET", f"{AUDIT}?{query}", status=422)
    assert refused["code"] == "invalid_query"
    assert [problem["loc"] for problem in refused["detail"]] == [["query", parameter]]
    assert set(refused["fields"]) == {parameter}


async def test_nobody_but_an_admin_reads_it(gateway: Gateway) -> None:
    operator = await join(gateway, role=OrganizationRole.OPERATOR)
    assert (await operator.ask("GET", AUDIT)).status == HTTPStatus.FORBIDDEN
    assert (await gateway.ask(AUDIT)).status == HTTPStatus.UNAUTHORIZED


async def test_what_was_typed_by_a_stranger_stays_data(gateway: Gateway) -> None:
    """The bodies of strangers are in it: a reader gets them as JSON, never as markup."""
    admin = await administrator(gateway)
    hostile = "<script>alert(1)</script>@example.com"
    await gateway.log_in(hostile, "wrong, and rather long")
    await admin.get("POST", WORKSPACES, {"display_name": '<b>"\u202e'})
    response = await admin.ask("GET", AUDIT)
    assert response.content_type == "application/json"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert json.loads(await response.text())["events"][0]["details"]["workspace"] == '<b>"\u202e'


async def test_reading_changes_nothing(gateway: Gateway) -> None:
    admin = await administrator(gateway)
    before = await events(admin)
    await asyncio.gather(*(events(admin) for _ in range(5)))
    assert [one["id"] for one in await events(admin)] == [one["id"] for one in before]
