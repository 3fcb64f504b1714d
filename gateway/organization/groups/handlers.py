"""Groups and who is in them, as programs list and change them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from aiohttp import web
from pydantic import AfterValidator, Field

from gateway.errors import Conflict, NotFound
from gateway.grammar.group_names import parse_group_name
from gateway.grammar.moments import format_moment
from gateway.organization.accounts import find_named_account
from gateway.web.bodies import Body, Email, Text, read_json

if TYPE_CHECKING:
    from gateway.models import Account, Principal
    from gateway.organization.groups.groups import Groups, GroupWithMembers
    from gateway.storage.database import Database


class GroupBody(Body):
    """What a group is called."""

    name: Annotated[Text, AfterValidator(parse_group_name)] = Field(
        description="1 to 80 characters and no comma; no two groups may have names that read the same.",
        examples=["operations"],
    )


class GroupMemberBody(Body):
    """Whom to put into a group."""

    email: Email


@dataclass(frozen=True, slots=True)
class GroupHandlers:
    """`/api/v1/groups`."""

    database: Database
    groups: Groups

    async def list(self, _request: web.Request, _asker: Principal) -> web.Response:
        return web.json_response([_shown(found) for found in await self.groups.list()])

    async def create(self, request: web.Request, _asker: Principal) -> web.Response:
        body = await read_json(request, GroupBody)
        return web.json_response(_shown(await self.groups.add(body.name)))

    async def show(self, request: web.Request, _asker: Principal) -> web.Response:
        return web.json_response(_shown(await self.groups.find(request.match_info["group_id"])))

    async def remove(self, request: web.Request, _asker: Principal) -> web.Response:
        await self.groups.remove(request.match_info["group_id"])
        return web.Response(status=204)

    async def list_members(self, request: web.Request, _asker: Principal) -> web.Response:
        found = await self.groups.find(request.match_info["group_id"])
        return web.json_response([_shown_member(account) for account in found.members])

    async def add_member(self, request: web.Request, _asker: Principal) -> web.Response:
        body = await read_json(request, GroupMemberBody)
        account = await find_named_account(self.database, email=body.email)
        if not await self.groups.add_member(request.match_info["group_id"], account.id):
            message = f"{account.email} is in the group already."
            raise Conflict(message)
        return web.json_response(_shown_member(account))

    async def remove_member(self, request: web.Request, _asker: Principal) -> web.Response:
        if not await self.groups.remove_member(request.match_info["group_id"], request.match_info["account_id"]):
            message = "There is no such person in this group."
            raise NotFound(message)
        return web.Response(status=204)


def _shown(found: GroupWithMembers) -> dict[str, Any]:
    return {
        "id": found.group.id,
        "name": found.group.name,
        "created_at": format_moment(found.group.created_at),
        "members": len(found.members),
    }


def _shown_member(account: Account) -> dict[str, Any]:
    return {"id": account.id, "email": account.email, "full_name": account.name}
