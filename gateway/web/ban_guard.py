"""The guard before every path that takes a secret: there have to be logins, and a banned address is not listened to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from gateway.errors import Banned

if TYPE_CHECKING:
    from gateway.storage.database import Database
    from gateway.throttle.address_limits import AddressLimits
    from gateway.web.errors import Handler
    from gateway.web.portal import Portal

_log = structlog.get_logger("gateway.security")


@dataclass(frozen=True, slots=True)
class BanGuard:
    """Asks the database each time: a ban counts at once in every process."""

    portal: Portal
    database: Database
    addresses: AddressLimits

    def before(self, handler: Handler) -> Handler:
        """Put the guard before a handler."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            self.portal.require_logins(request)
            await self._require_not_banned(request)
            return await handler(request)

        return guarded

    async def _require_not_banned(self, request: web.Request) -> None:
        client_address = self.portal.client_address(request)
        try:
            async with self.database.read() as connection:
                await self.addresses.require_not_banned(connection, client_address, now=datetime.now(UTC))
        except Banned:
            _log.info("banned_address_refused", client_address=client_address, path=request.path)
            raise
