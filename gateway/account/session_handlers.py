"""A person's sessions, as programs show and end them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from gateway.errors import Unauthorized
from gateway.grammar.moments import format_moment
from gateway.grammar.user_agents import describe_device

if TYPE_CHECKING:
    from gateway.account.sessions import OwnSessions
    from gateway.storage.sessions import StoredSession
    from gateway.web.portal import Portal


@dataclass(frozen=True, slots=True)
class SessionHandlers:
    """`/api/auth/sessions`. The access token is the one proof that is asked for (ASVS 7.5.2)."""

    portal: Portal
    sessions: OwnSessions

    async def list(self, request: web.Request) -> web.Response:
        owner = await self.portal.by_session(request)
        found = await self.sessions.list(owner.account_id)
        return web.json_response([_shown(stored, current=owner.session_id) for stored in found])

    async def end(self, request: web.Request) -> web.Response:
        owner = await self.portal.by_session(request)
        await self.sessions.end(owner.account_id, request.match_info["session_id"])
        return web.Response(status=204)

    async def end_others(self, request: web.Request) -> web.Response:
        owner = await self.portal.by_session(request)
        if owner.session_id is None:
            raise Unauthorized
        await self.sessions.end_others(owner.account_id, keep=owner.session_id)
        return web.json_response({"message": "Your other sessions are logged out."})


def _shown(stored: StoredSession, *, current: str | None) -> dict[str, Any]:
    session = stored.session
    return {
        "id": session.id,
        "device": describe_device(stored.user_agent),
        "userAgent": stored.user_agent,
        "clientAddress": stored.client_address,
        "createdAt": format_moment(session.created_at),
        "lastSeenAt": format_moment(session.last_seen_at),
        "current": session.id == current,
    }
