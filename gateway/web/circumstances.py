"""From where a request comes, for the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from gateway.audit.events import Circumstances, under
from gateway.web.errors import REQUEST_ID, Handler

if TYPE_CHECKING:
    from gateway.web.portal import Portal


@dataclass(frozen=True, slots=True)
class NoteCircumstances:
    """A middleware: what is recorded while a request is answered says where it came from."""

    portal: Portal

    @web.middleware
    async def answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        client_address = self.portal.client_address(request)
        with under(Circumstances(client_address=client_address, request_id=request[REQUEST_ID])):
            return await handler(request)
