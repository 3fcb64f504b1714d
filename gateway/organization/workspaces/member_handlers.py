"""Who is in a workspace, as programs list and change it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web
from pydantic import Field

from gateway.grammar.moments import format_moment
from gateway.models import WorkspaceRole
from gateway.organization.accounts import find_named_account
from gateway.web.bodies import Body, Email, Text, read_json

if TYPE_CHECKING:
    from gateway.models import Principal
    from gateway.organization.workspaces.members import WorkspaceMembers
    from gateway.storage.database import Database
    from gateway.storage.workspace_members import WorkspaceMember


class WorkspaceRoleBody(Body):
    """What somebody is to be in the workspace."""

    role: WorkspaceRole = Field(description="What they may do there.", examples=["Editor"])


class WorkspaceMemberBody(WorkspaceRoleBody):
    """Whom to put into the workspace: one of `email` and `user_id`."""

    email: Email | None = None
    user_id: Text | None = Field(default=None, description="The account's `id`.")


@dataclass(frozen=True, slots=True)
class WorkspaceMemberHandlers:
    """`/api/v1/workspaces/{workspace_id}/members`."""

    database: Database
    members: WorkspaceMembers

    async def list(self, request: web.Request, _asker: Principal) -> web.Response:
        workspace_id = request.match_info["workspace_id"]
        found = await self.members.list(workspace_id)
        return web.json_response({"tenant_id": workspace_id, "members": [_shown(one) for one in found], "pending": []})

    async def add(self, request: web.Request, _asker: Principal) -> web.Response:
        body = await read_json(request, WorkspaceMemberBody)
        account = await find_named_account(self.database, email=body.email, account_id=body.user_id)
        added = await self.members.add(request.match_info["workspace_id"], account.id, body.role)
        return web.json_response(_shown(added))

    async def set_role(self, request: web.Request, _asker: Principal) -> web.Response:
        body = await read_json(request, WorkspaceRoleBody)
        changed = await self.members.set_role(*_named(request), body.role)
        return web.json_response(_shown(changed))

    async def remove(self, request: web.Request, _asker: Principal) -> web.Response:
        await self.members.remove(*_named(request))
        return web.Response(status=204)


def _named(request: web.Request) -> tuple[str, str]:
    return request.match_info["workspace_id"], request.match_info["account_id"]


def _shown(member: WorkspaceMember) -> dict[str, Any]:
    return {
        "id": member.account.id,
        "email": member.account.email,
        "full_name": member.account.name,
        "role": member.role.value,
        "created_at": format_moment(member.since),
    }
