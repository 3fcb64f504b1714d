"""Other people's sessions, as programs show and end them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from gateway.grammar.moments import format_moment
from gateway.grammar.user_agents import describe_device

if TYPE_CHECKING:
    from gateway.models import Principal
    from gateway.organization.members.sessions import MemberSessions
    from gateway.storage.sessions import StoredSession


@dataclass(frozen=True, slots=True)
class MemberSessionHandlers:
    """`/api/v1/orgs/current/members/{member_id}/sessions`."""

    sessions: MemberSessions

    async def list(self, request: web.Request, asker: Principal) -> web.Response:
        found = await self.sessions.list_of(request.match_info["member_id"])
        return web.json_response([_shown(stored, current=asker.session_id) for stored in found])

    async def end(self, request: web.Request, _asker: Principal) -> web.Response:
        await self.sessions.end(request.match_info["session_id"], account_id=request.match_info["member_id"])
        return web.Response(status=204)

    async def end_all(self, request: web.Request, _asker: Principal) -> web.Response:
        await self.sessions.end_all(request.match_info["member_id"])
        return web.Response(status=204)


def _shown(stored: StoredSession, *, current: str | None) -> dict[str, Any]:
    return {
        "id": stored.session.id,
        "device": describe_device(stored.user_agent),
        "user_agent": stored.user_agent,
        "client_address": stored.client_address,
        "created_at": format_moment(stored.session.created_at),
        "last_seen_at": format_moment(stored.session.last_seen_at),
        "current": stored.session.id == current,
    }
