"""Answers about a team have exactly the documented fields."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from pydantic import TypeAdapter

from gateway.openapi.answers import V1ErrorAnswer
from gateway.openapi.audit_answers import AuditPage, MemberSessionAnswer
from gateway.openapi.workspace_answers import (
    GroupAnswer,
    GroupMemberAnswer,
    WorkspaceAnswer,
    WorkspaceMemberAnswer,
    WorkspaceMembersAnswer,
)
from tests.support.gateway import Gateway
from tests.support.team import WORKSPACES, Colleague, administrator, join

GROUPS = "/api/v1/groups"


async def take(  # noqa: PLR0913 - one argument for each part of a request, and of its answer
    admin: Colleague,
    method: str,
    path: str,
    body: object = None,
    *,
    model: Any,  # noqa: ANN401 - a model, or a list of one
    status: int = 200,
) -> Any:  # noqa: ANN401 - JSON
    """Hold an answer against its model, which takes no field that it does not know."""
    answer = await admin.get(method, path, body, status=status)
    TypeAdapter(model).validate_python(answer)
    assert answer
    return answer


async def test_answers_about_workspaces(gateway: Gateway) -> None:
    admin, ada = await administrator(gateway), await join(gateway)
    made = await take(admin, "POST", WORKSPACES, {"display_name": "Research"}, model=WorkspaceAnswer)
    one = f"{WORKSPACES}/{made['id']}"
    await take(admin, "GET", WORKSPACES, model=list[WorkspaceAnswer])
    await take(admin, "GET", one, model=WorkspaceAnswer)
    await take(admin, "PATCH", one, {"display_name": "Labs"}, model=WorkspaceAnswer)
    added = {"email": ada.email, "role": "Editor"}
    await take(admin, "POST", f"{one}/members", added, model=WorkspaceMemberAnswer)
    await take(admin, "POST", f"{one}/members", added, model=V1ErrorAnswer, status=HTTPStatus.CONFLICT)
    await take(admin, "PATCH", f"{one}/members/{ada.id}", {"role": "Viewer"}, model=WorkspaceMemberAnswer)
    await take(admin, "GET", f"{one}/members", model=WorkspaceMembersAnswer)


async def test_answers_about_groups(gateway: Gateway) -> None:
    admin, ada = await administrator(gateway), await join(gateway)
    made = await take(admin, "POST", GROUPS, {"name": "ops"}, model=GroupAnswer)
    one = f"{GROUPS}/{made['id']}"
    await take(admin, "GET", GROUPS, model=list[GroupAnswer])
    await take(admin, "GET", one, model=GroupAnswer)
    await take(admin, "POST", f"{one}/members", {"email": ada.email}, model=GroupMemberAnswer)
    await take(admin, "GET", f"{one}/members", model=list[GroupMemberAnswer])


async def test_answers_to_an_administrator(gateway: Gateway) -> None:
    admin = await administrator(gateway)
    sessions = f"/api/v1/orgs/current/members/{admin.id}/sessions"
    await take(admin, "GET", sessions, model=list[MemberSessionAnswer])
    audit = "/api/v1/orgs/current/audit"
    await take(admin, "GET", audit, model=AuditPage)
    await take(admin, "GET", f"{audit}?limit=x", model=V1ErrorAnswer, status=HTTPStatus.UNPROCESSABLE_ENTITY)
