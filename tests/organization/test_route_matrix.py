"""Every route asked by everybody: nobody gets more than this table says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import ClientResponse

from gateway.models import OrganizationRole, WorkspaceRole
from tests.support.gateway import Gateway, environment, start_gateway
from tests.support.routes import routes_of, unserved_app
from tests.support.team import Colleague, administrator, join

ADMIN, OPERATOR = OrganizationRole.ADMIN, OrganizationRole.OPERATOR
USER, VIEWER = OrganizationRole.USER, OrganizationRole.VIEWER
Roles = frozenset[OrganizationRole] | frozenset[WorkspaceRole]

# These take no access token: what they ask for is in the body, or nothing.
OPEN: Roles = frozenset()
EVERYBODY, ADMINS = frozenset(OrganizationRole), frozenset({ADMIN})
OPERATORS, USERS = frozenset({ADMIN, OPERATOR}), frozenset({ADMIN, OPERATOR, USER})
INSIDERS, WORKSPACE_ADMINS = frozenset(WorkspaceRole), frozenset({WorkspaceRole.ADMIN})

# Written once more, apart from the code: a guard that is changed there has to be changed here as well.
MATRIX: dict[str, Roles] = {
    "POST /api/auth/login": OPEN,
    "POST /api/auth/logout": OPEN,
    "POST /api/auth/refresh": OPEN,
    "POST /api/auth/register": OPEN,
    "POST /api/auth/requestPasswordReset": OPEN,
    "POST /api/auth/resetPassword": OPEN,
    "POST /api/auth/2fa/verify-temp": OPEN,
    "POST /api/user/verify": OPEN,
    "POST /api/user/verify/resend": OPEN,
    "POST /api/v1/login": OPEN,
    "GET /api/config": OPEN,
    "* /api/authz/auth-request": OPEN,
    "* /api/authz/forward-auth": OPEN,
    "GET /api/user": EVERYBODY,
    "GET /api/auth/sessions": EVERYBODY,
    "DELETE /api/auth/sessions/{session_id}": EVERYBODY,
    "POST /api/auth/sessions/revoke-others": EVERYBODY,
    "POST /api/auth/changePassword": EVERYBODY,
    "GET /api/auth/2fa/enable": EVERYBODY,
    "POST /api/auth/2fa/enable": EVERYBODY,
    "POST /api/auth/2fa/verify": EVERYBODY,
    "POST /api/auth/2fa/confirm": EVERYBODY,
    "POST /api/auth/2fa/disable": EVERYBODY,
    "POST /api/auth/2fa/backup/regenerate": EVERYBODY,
    "GET /api/api-keys": EVERYBODY,
    "POST /api/api-keys": USERS,
    "GET /api/api-keys/{api_key_id}": EVERYBODY,
    "DELETE /api/api-keys/{api_key_id}": EVERYBODY,
    "POST /api/api-keys/{api_key_id}/rotate": USERS,
    "GET /api/v1/orgs": EVERYBODY,
    # Nobody makes a second organization: everybody is told so.
    "POST /api/v1/orgs": EVERYBODY,
    "GET /api/v1/orgs/current": EVERYBODY,
    "GET /api/v1/orgs/current/info": EVERYBODY,
    "PATCH /api/v1/orgs/current/info": ADMINS,
    "GET /api/v1/orgs/current/audit": ADMINS,
    "PATCH /api/v1/orgs/members/basic": EVERYBODY,
    "GET /api/v1/orgs/current/members": OPERATORS,
    "POST /api/v1/orgs/current/members/basic": OPERATORS,
    "POST /api/v1/orgs/current/members/basic/batch": OPERATORS,
    "GET /api/v1/orgs/current/members/{member_id}": OPERATORS,
    "PATCH /api/v1/orgs/current/members/{member_id}": ADMINS,
    "DELETE /api/v1/orgs/current/members/{member_id}": ADMINS,
    "DELETE /api/v1/orgs/current/members/{member_id}/second-factor": ADMINS,
    "GET /api/v1/orgs/current/members/{member_id}/sessions": ADMINS,
    "DELETE /api/v1/orgs/current/members/{member_id}/sessions": ADMINS,
    "DELETE /api/v1/orgs/current/members/{member_id}/sessions/{session_id}": ADMINS,
    "GET /api/v1/orgs/current/service-keys": OPERATORS,
    "POST /api/v1/orgs/current/service-keys": ADMINS,
    "POST /api/v1/orgs/current/service-keys/{key_id}/rotate": ADMINS,
    "DELETE /api/v1/orgs/current/service-keys/{key_id}": ADMINS,
    "GET /api/v1/service-accounts": OPERATORS,
    "POST /api/v1/service-accounts": ADMINS,
    "GET /api/v1/service-accounts/{service_account_id}": OPERATORS,
    "PATCH /api/v1/service-accounts/{service_account_id}": ADMINS,
    "DELETE /api/v1/service-accounts/{service_account_id}": ADMINS,
    "GET /api/v1/groups": OPERATORS,
    "POST /api/v1/groups": ADMINS,
    "GET /api/v1/groups/{group_id}": OPERATORS,
    "DELETE /api/v1/groups/{group_id}": ADMINS,
    "GET /api/v1/groups/{group_id}/members": OPERATORS,
    "POST /api/v1/groups/{group_id}/members": ADMINS,
    "DELETE /api/v1/groups/{group_id}/members/{account_id}": ADMINS,
    "GET /api/v1/workspaces": EVERYBODY,
    "POST /api/v1/workspaces": OPERATORS,
    "GET /api/v1/workspaces/{workspace_id}": INSIDERS,
    "PATCH /api/v1/workspaces/{workspace_id}": WORKSPACE_ADMINS,
    "DELETE /api/v1/workspaces/{workspace_id}": ADMINS,
    "GET /api/v1/workspaces/{workspace_id}/members": INSIDERS,
    "POST /api/v1/workspaces/{workspace_id}/members": WORKSPACE_ADMINS,
    "PATCH /api/v1/workspaces/{workspace_id}/members/{account_id}": WORKSPACE_ADMINS,
    "DELETE /api/v1/workspaces/{workspace_id}/members/{account_id}": WORKSPACE_ADMINS,
}
GUARDED = [name for name, roles in MATRIX.items() if roles]
# Whatever is asked about is not there: who may ask is told so, and nothing is changed.
NOBODY = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True, slots=True)
class Team:
    """Somebody of each role in the organization, in no workspace, and of each role in one workspace."""

    gateway: Gateway
    of_organization: dict[OrganizationRole, Colleague]
    of_workspace: dict[WorkspaceRole, Colleague]
    workspace_id: str

    def path(self, route: str) -> str:
        path = route.partition(" ")[2]
        # A workspace that is there, for the guard asks for the role in it; nothing deletes it.
        workspace_id = NOBODY if route == "DELETE /api/v1/workspaces/{workspace_id}" else self.workspace_id
        path = path.replace("{workspace_id}", workspace_id)
        for part in ("member_id", "session_id", "key_id", "service_account_id", "group_id", "account_id", "api_key_id"):
            path = path.replace(f"{{{part}}}", NOBODY)
        return path

    async def ask(self, route: str, asker: Colleague) -> ClientResponse:
        method = route.partition(" ")[0]
        return await asker.ask(method, self.path(route), None if method in {"GET", "DELETE"} else {})


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    async with start_gateway(environment(tmp_path)) as gateway:
        admin = await administrator(gateway)
        workspace = await admin.get("POST", "/api/v1/workspaces", {"display_name": "Engines"})
        members = f"/api/v1/workspaces/{workspace['id']}/members"
        of_organization, of_workspace = {ADMIN: admin}, {}
        for role in (OPERATOR, USER, VIEWER):
            name = role.value.split()[-1].lower()
            of_organization[role] = await join(gateway, f"{name}@example.com", role=role, in_default_workspace=False)
        for inside in WorkspaceRole:
            email = f"workspace-{inside.value.lower()}@example.com"
            colleague = await join(gateway, email, in_default_workspace=False)
            await admin.get("POST", members, {"email": email, "role": inside.value})
            of_workspace[inside] = colleague
        yield Team(gateway, of_organization, of_workspace, workspace["id"])


async def _is_permitted(response: ClientResponse, route: str) -> bool:
    """Say whether the guard let it through: what the handler then finds wrong is another question."""
    if response.status == 401:
        return False
    body = await response.json() if response.status >= 400 else {}
    outside = "{workspace_id}" in route and body.get("message") == "You are in no such workspace."
    return body.get("code") != "permission_denied" and not outside


async def test_table_has_every_route_of_the_api(tmp_path: Path) -> None:
    async with unserved_app(tmp_path) as app:
        routes = {f"{method} {path}" for method, path in routes_of(app) if path.startswith("/api/")}
    assert set(MATRIX) == routes


async def test_each_role_in_the_organization_gets_what_the_table_says(team: Team) -> None:
    for route in GUARDED:
        wanted = MATRIX[route]
        for role, asker in team.of_organization.items():
            response = await team.ask(route, asker)
            expected = role in wanted or (role is ADMIN and bool(wanted & INSIDERS))
            assert await _is_permitted(response, route) == expected, (route, role, await response.text())
            assert response.status < 500, (route, role)


async def test_each_role_in_a_workspace_gets_what_the_table_says(team: Team) -> None:
    """They are Organization Users beside that."""
    for route in GUARDED:
        for role, asker in team.of_workspace.items():
            response = await team.ask(route, asker)
            expected = role in MATRIX[route] or USER in MATRIX[route]
            assert await _is_permitted(response, route) == expected, (route, role, await response.text())


async def test_without_an_access_token_nobody_gets_anything(gateway: Gateway) -> None:
    """Neither the cookie of a session nor an API key is one."""
    admin = await administrator(gateway)
    key = (await admin.get("POST", "/api/api-keys", {"name": "a key"}, status=201))["key"]
    others: tuple[dict[str, str], ...] = (
        {},
        {"Cookie": admin.session.cookie},
        {"Authorization": f"Bearer {key}"},
        {"X-API-Key": key},
    )
    for route in GUARDED:
        method, _, path = route.partition(" ")
        for headers in others:
            url = gateway.url + path.replace("{", "").replace("}", "")
            response = await gateway.client.request(method, url, headers=headers, json={})
            assert response.status == 401, (route, headers, await response.text())


async def test_password_that_is_due_opens_nothing_of_the_organization(team: Team) -> None:
    """Whoever handed it over knows it as well."""
    admin = team.of_organization[ADMIN]
    invited = await admin.get(
        "POST",
        "/api/v1/orgs/current/members/basic",
        {"email": "new@example.com", "role": ADMIN.value},
    )
    session = await team.gateway.session("new@example.com", invited["password"])
    newcomer = Colleague(team.gateway, invited["id"], "new@example.com", session)
    for route in GUARDED:
        if "/api/v1/" in route and route != "PATCH /api/v1/orgs/members/basic":
            response = await team.ask(route, newcomer)
            assert (await response.json())["code"] == "password_change_required", route
