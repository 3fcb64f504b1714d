"""Which workspace a request is about: the one that it names, if it is one of the visitor's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from gateway.errors import UnknownWorkspace, WorkspaceNotSaid
from gateway.forward_auth.policy import Decision, Outcome, Requirement
from gateway.forward_auth.workspace_choice import choose_workspace
from gateway.models import Membership, Principal, Standing, Workspace, WorkspaceRole
from tests.support.gateway import Gateway, environment, start_gateway
from tests.support.lanes import Lane
from tests.support.visitors import ADA, ORGANIZATION, SERVICE, WORKSPACE

ENGINES = replace(WORKSPACE, id="3333abcd-3333-4333-8333-333333333333", display_name="Engines")
BOTH = Standing(ORGANIZATION, tuple(Membership(place, WorkspaceRole.EDITOR) for place in (WORKSPACE, ENGINES)))
PERSON = replace(ADA, standing=BOTH, workspace=WORKSPACE)
KEY_OF_BOTH = replace(SERVICE, standing=BOTH, workspace=None)
KEY_WITH_DEFAULT = replace(SERVICE, standing=BOTH, workspace=ENGINES)
NOWHERE = replace(ADA, standing=Standing(ORGANIZATION, ()), workspace=None)
SERVICE_NOWHERE = replace(SERVICE, standing=Standing(ORGANIZATION, ()), workspace=None)


def allowed(principal: Principal | None, requirement: Requirement = Requirement.LOGIN) -> Decision:
    return Decision(Outcome.ALLOW, requirement, "rule 1", principal=principal)


def chosen(principal: Principal, *named: str) -> Workspace | None:
    decision = choose_workspace(allowed(principal), {"x-tenant-id": named}, named_in="x-tenant-id")
    assert decision.outcome is Outcome.ALLOW
    assert decision.principal is not None
    return decision.principal.workspace


@pytest.mark.parametrize(
    ("principal", "named", "workspace"),
    [
        (PERSON, (), WORKSPACE),
        (PERSON, ("",), WORKSPACE),
        (PERSON, (WORKSPACE.id,), WORKSPACE),
        (PERSON, (ENGINES.id,), ENGINES),
        (PERSON, (ENGINES.id.upper(),), ENGINES),
        (NOWHERE, (), None),
        (SERVICE, (), WORKSPACE),
        (KEY_OF_BOTH, (ENGINES.id,), ENGINES),
        (KEY_WITH_DEFAULT, (), ENGINES),
        (KEY_WITH_DEFAULT, (WORKSPACE.id,), WORKSPACE),
        (SERVICE_NOWHERE, (), None),
    ],
)
def test_workspace_is_the_named_one_or_the_usual_one(
    principal: Principal, named: tuple[str, ...], workspace: Workspace | None
) -> None:
    assert chosen(principal, *named) == workspace


FOREIGN = [
    (str(uuid4()),),
    ("Default",),
    ("*",),
    (WORKSPACE.id[:-1],),
    (WORKSPACE.id.replace("-", ""),),
    (f"{{{WORKSPACE.id}}}",),
    (f"{WORKSPACE.id}, {WORKSPACE.id}",),
    (f"{WORKSPACE.id}, {ENGINES.id}",),
    (WORKSPACE.id, WORKSPACE.id),
    (WORKSPACE.id, ENGINES.id),
    (WORKSPACE.id, ""),
    ("", WORKSPACE.id),
    ("\udcff",),
]


@pytest.mark.parametrize("named", FOREIGN)
@pytest.mark.parametrize("principal", [PERSON, KEY_OF_BOTH, NOWHERE])
def test_what_names_none_of_the_visitors_workspaces_is_forbidden(principal: Principal, named: tuple[str, ...]) -> None:
    decision = choose_workspace(allowed(principal), {"x-tenant-id": named}, named_in="x-tenant-id")
    assert decision.outcome is Outcome.FORBID
    assert isinstance(decision.refusal, UnknownWorkspace)


@pytest.mark.parametrize(("named_in", "said"), [("x-tenant-id", "`X-Tenant-Id`"), ("x-team", "`X-Team`")])
def test_key_of_several_workspaces_has_to_say_which_in_the_header_that_is_read(named_in: str, said: str) -> None:
    decision = choose_workspace(allowed(KEY_OF_BOTH), {}, named_in=named_in)
    assert decision.outcome is Outcome.FORBID
    assert isinstance(decision.refusal, WorkspaceNotSaid)
    assert said in decision.refusal.message


@pytest.mark.parametrize(("principal", "named"), [*((PERSON, named) for named in FOREIGN), (KEY_OF_BOTH, ())])
def test_what_is_open_to_everybody_stays_open_and_is_in_no_workspace(
    principal: Principal, named: tuple[str, ...]
) -> None:
    decision = choose_workspace(allowed(principal, Requirement.NOTHING), {"x-tenant-id": named}, named_in="x-tenant-id")
    assert decision.outcome is Outcome.ALLOW
    assert decision.principal == replace(principal, workspace=None)


def test_strangers_are_in_no_workspace_whatever_they_name() -> None:
    decision = allowed(None, Requirement.NOTHING)
    assert choose_workspace(decision, {"x-tenant-id": (WORKSPACE.id,)}, named_in="x-tenant-id") == decision


@pytest.mark.parametrize("principal", [PERSON, KEY_OF_BOTH])
def test_header_is_not_read_where_it_is_switched_off(principal: Principal) -> None:
    for headers in ({}, {"x-tenant-id": ("another-applications-tenant",)}, {"": (ENGINES.id,)}):
        assert choose_workspace(allowed(principal), headers, named_in="") == allowed(principal)


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.ALLOW])
def test_refusals_stay_what_they_are(outcome: Outcome) -> None:
    decision = replace(allowed(PERSON), outcome=outcome)
    assert choose_workspace(decision, {"x-tenant-id": ("foreign",)}, named_in="x-tenant-id") is decision


RULES = """
identity_headers: {presets: [authelia, langsmith]}
access_control:
  default_policy: one_factor
  rules:
    - {domain: app.example.com, path: ["/public"], policy: bypass}
"""
URL = "http://app.example.com"


@pytest.fixture
async def gateway(tmp_path: Path, lane: Lane) -> AsyncIterator[Gateway]:  # noqa: ARG001 - it runs in that lane
    config = tmp_path / "g.yaml"
    config.write_text(RULES)
    async with start_gateway(environment(tmp_path / "data"), config=config) as gateway:
        yield gateway


async def test_application_is_told_the_workspace_that_was_verified(gateway: Gateway) -> None:
    visitor = await gateway.session()
    usual = await gateway.check(URL + "/", Cookie=visitor.cookie)
    assert usual.status == 200
    workspace = usual.headers["X-Tenant-Id"]
    assert usual.headers["Remote-Workspace"] == "Default"
    assert usual.headers["X-User-Id"]
    assert usual.headers["X-Organization-Id"]

    named = await gateway.check(URL + "/", Cookie=visitor.cookie, X_Tenant_Id=workspace.upper())
    assert (named.status, named.headers["X-Tenant-Id"]) == (200, workspace)


async def test_foreign_workspace_is_refused_with_its_reason(
    gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    visitor = await gateway.session()
    capsys.readouterr()
    answer = await gateway.check(URL + "/", Cookie=visitor.cookie, X_Tenant_Id=str(uuid4()))
    assert answer.status == 403
    assert answer.headers["X-Auth-Reason"] == "unknown_workspace"
    assert "X-Tenant-Id" not in answer.headers
    body = await answer.json()
    assert (body["error"], body["code"]) == ("Forbidden", "unknown_workspace")

    reason = {"reason": "unknown_workspace"}
    denied = await gateway.client.get(f"{gateway.url}/denied/{body['decision_id']}", params=reason)
    assert denied.status == 403
    assert await denied.json() == body


async def test_public_page_is_nobodys_workspace(gateway: Gateway) -> None:
    visitor = await gateway.session()
    for cookie in ({}, {"Cookie": visitor.cookie}):
        answer = await gateway.check(URL + "/public", X_Tenant_Id=str(uuid4()), **cookie)
        assert (answer.status, answer.headers["X-Tenant-Id"], answer.headers["Remote-Workspace"]) == (200, "", "")


async def test_reason_that_langsmiths_programs_read_is_the_error_itself(gateway: Gateway) -> None:
    reason = {"reason": "org_scoped_key_requires_workspace"}
    answer = await gateway.client.get(f"{gateway.url}/denied/d1", params=reason)
    assert answer.status == 403
    assert (await answer.json())["error"] == "org_scoped_key_requires_workspace"


@pytest.mark.usefixtures("lane")
async def test_header_of_another_name_selects_and_of_none_does_not(tmp_path: Path) -> None:
    for name, refused in (("X-Workspace", "X-Workspace"), ("none", None)):
        async with start_gateway(environment(tmp_path / name, GATEWAY_WORKSPACE_HEADER=name)) as gateway:
            visitor = await gateway.session()
            for header in ("X-Tenant-Id", "X-Workspace"):
                answer = await gateway.check(URL + "/", **{"Cookie": visitor.cookie, header: "other"})
                assert answer.status == (403 if header == refused else 200)
