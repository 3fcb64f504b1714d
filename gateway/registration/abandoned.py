"""Accounts that somebody registered and never verified: after a while the address is free again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from gateway.audit.events import Circumstances, EventKind, record, under
from gateway.facts.facts import account_subject
from gateway.storage.expired import delete_abandoned_registrations, find_abandoned_registration
from gateway.storage.invalidations import append_invalidation

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

_KEPT_FOR = timedelta(days=7)
_ITSELF = Circumstances(actor="gateway")


class AbandonedRegistrations:
    """One step of the cleaning. Such an account has no session, but Basic credentials of it may be known."""

    name = "abandoned registrations"

    async def finds(self, connection: AsyncConnection, *, now: datetime) -> bool:
        return await find_abandoned_registration(connection, before=now - _KEPT_FOR, now=now)

    async def remove(self, connection: AsyncConnection, *, now: datetime, limit: int) -> int:
        """Remove some; each is audited, as every other end of an account."""
        deleted = await delete_abandoned_registrations(connection, before=now - _KEPT_FOR, now=now, limit=limit)
        with under(_ITSELF):
            for account_id, email in deleted:
                await record(connection, EventKind.ACCOUNT_EXPIRED, account_id=account_id, email=email)
                await append_invalidation(connection, account_subject(account_id), now=now)
        return len(deleted)
