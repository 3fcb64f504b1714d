"""The members, as programs manage them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from gateway.errors import InvalidFields, InvalidRows
from gateway.grammar.moments import format_moment, format_moment_or_none
from gateway.organization.members.bodies import InvitationBody, InvitationRows, MemberChangeBody
from gateway.web.bodies import read_json
from gateway.web.rows import read_rows

if TYPE_CHECKING:
    from gateway.models import Principal
    from gateway.organization.members.invitations import Invitations, Invited
    from gateway.organization.members.members import Members
    from gateway.storage.members import Member


@dataclass(frozen=True, slots=True)
class MemberHandlers:
    """`/api/v1/orgs/current/members`."""

    members: Members
    invitations: Invitations
    force_password_change: bool

    async def list(self, _request: web.Request, asker: Principal) -> web.Response:
        found = await self.members.list()
        shown = [self._shown(member) for member in found]
        return web.json_response({"organization_id": asker.standing.organization.id, "members": shown, "pending": []})

    async def show(self, request: web.Request, _asker: Principal) -> web.Response:
        return web.json_response(self._shown(await self.members.find(_member_id(request))))

    async def invite(self, request: web.Request, asker: Principal) -> web.Response:
        """Invite one person."""
        body = await read_json(request, InvitationBody)
        try:
            [invited] = await self.invitations.invite(asker, [body.invitation()])
        except InvalidRows as refusal:
            raise InvalidFields(fields=refusal.rows[0]) from None
        return web.json_response(_invited(invited))

    async def invite_many(self, request: web.Request, asker: Principal) -> web.Response:
        """Invite everybody, or nobody and say what is wrong with each row."""
        body = await read_rows(request, InvitationRows)
        invited = await self.invitations.invite(asker, [row.invitation() for row in body.root])
        return web.json_response([_invited(one) for one in invited])

    async def change(self, request: web.Request, asker: Principal) -> web.Response:
        body = await read_json(request, MemberChangeBody)
        changed = await self.members.change(asker, _member_id(request), body.change())
        return web.json_response({**self._shown(changed.member), "password": changed.password})

    async def remove(self, request: web.Request, asker: Principal) -> web.Response:
        await self.members.remove(asker, _member_id(request))
        return web.Response(status=204)

    async def remove_second_factor(self, request: web.Request, asker: Principal) -> web.Response:
        await self.members.remove_second_factor(asker, _member_id(request))
        return web.Response(status=204)

    def _shown(self, member: Member) -> dict[str, Any]:
        account = member.account
        return {
            "id": account.id,
            "email": account.email,
            "full_name": account.name,
            "username": account.username,
            "role": account.role.value,
            "disabled": account.disabled,
            "must_change_password": account.must_change_password and self.force_password_change,
            "two_factor_enabled": account.has_second_factor,
            "workspace_ids": [*member.workspace_ids],
            "created_at": format_moment(account.created_at),
            "last_login_at": format_moment_or_none(account.logged_in_at),
        }


def _member_id(request: web.Request) -> str:
    return request.match_info["member_id"]


def _invited(invited: Invited) -> dict[str, Any]:
    account = invited.member.account
    return {
        "id": account.id,
        "email": account.email,
        "full_name": account.name,
        "role": account.role.value,
        "created_at": format_moment(account.created_at),
        "password": invited.password,
    }
