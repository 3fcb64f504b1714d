"""Workspaces, as programs list and change them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from aiohttp import web
from pydantic import AfterValidator, Field

from gateway.errors import NotFound
from gateway.grammar.moments import format_moment
from gateway.grammar.workspace_names import parse_workspace_name
from gateway.models import Membership, WorkspaceRole
from gateway.web.bodies import Body, Text, read_json

if TYPE_CHECKING:
    from gateway.models import Principal
    from gateway.organization.workspaces.workspaces import Workspaces


class WorkspaceBody(Body):
    """What a workspace is called."""

    display_name: Annotated[Text, AfterValidator(parse_workspace_name)] = Field(
        description="1 to 80 characters and no comma; no two workspaces may have names that read the same.",
        examples=["Research"],
    )


@dataclass(frozen=True, slots=True)
class WorkspaceHandlers:
    """`/api/v1/workspaces`. Which ones somebody is in, their standing says; an Organization Admin is in all."""

    workspaces: Workspaces

    async def list(self, _request: web.Request, asker: Principal) -> web.Response:
        return web.json_response([_shown(asker, membership) for membership in asker.standing.memberships])

    async def create(self, request: web.Request, asker: Principal) -> web.Response:
        body = await read_json(request, WorkspaceBody)
        made = await self.workspaces.add(body.display_name, asker=asker)
        return web.json_response(_shown(asker, Membership(made, WorkspaceRole.ADMIN)))

    async def show(self, request: web.Request, asker: Principal) -> web.Response:
        return web.json_response(_shown(asker, _membership(request, asker)))

    async def rename(self, request: web.Request, asker: Principal) -> web.Response:
        membership = _membership(request, asker)
        body = await read_json(request, WorkspaceBody)
        renamed = await self.workspaces.rename(membership.workspace.id, body.display_name)
        return web.json_response(_shown(asker, Membership(renamed, membership.role)))

    async def remove(self, request: web.Request, _asker: Principal) -> web.Response:
        await self.workspaces.remove(request.match_info["workspace_id"])
        return web.Response(status=204)


def _membership(request: web.Request, asker: Principal) -> Membership:
    """Give the membership that the guard has found."""
    membership = asker.standing.membership_in(request.match_info["workspace_id"])
    if membership is None:
        raise NotFound
    return membership


def _shown(asker: Principal, membership: Membership) -> dict[str, Any]:
    return {
        "id": membership.workspace.id,
        "organization_id": asker.standing.organization.id,
        "display_name": membership.workspace.display_name,
        "created_at": format_moment(membership.workspace.created_at),
        "role": membership.role.value,
    }
