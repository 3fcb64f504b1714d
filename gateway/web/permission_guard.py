"""Let a route be called by those only whose role allows it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from gateway.permissions import Permission, require_permission
from gateway.web.bodies import WHEN_READ, AskAgain

if TYPE_CHECKING:
    from gateway.models import Principal
    from gateway.web.portal import Portal

# A handler that is told who asks, since the guard has to know it anyway.
AskedBy = Callable[[web.Request, "Principal"], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Permitted:
    """A handler behind its permission: the access token says who asks, `workspace_id` in the path where."""

    portal: Portal
    permission: Permission
    handler: AskedBy

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        asker = await self._asker(request)
        # Whoever is removed or demoted while their body is on its way must not get done what it asks for.
        ask_again: AskAgain = partial(self._asker, request)
        request[WHEN_READ] = ask_again
        return await self.handler(request, asker)

    async def _asker(self, request: web.Request) -> Principal:
        asker = await self.portal.by_bearer(request)
        require_permission(asker, self.permission, workspace_id=request.match_info.get("workspace_id"))
        return asker
