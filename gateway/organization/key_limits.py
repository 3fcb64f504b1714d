"""What the organization allows of new keys, as administrators set it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import structlog

from gateway.audit.events import EventKind, record
from gateway.errors import Conflict
from gateway.organization.overview import require_organization
from gateway.storage.key_limits import find_key_limits, store_key_limits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.key_limits import KeyLimitsInForce
    from gateway.models import KeyLimits, Organization
    from gateway.revocation import Revocation
    from gateway.storage.database import Database

_log = structlog.get_logger("gateway.security")


@dataclass(frozen=True, slots=True)
class OrganizationWithLimits:
    """The organization and the limits in force."""

    organization: Organization
    limits: KeyLimits


class OrganizationKeyLimits:
    """Show and change the limits. Keys that are there already stay as they are."""

    def __init__(self, database: Database, *, revocation: Revocation, in_force: KeyLimitsInForce) -> None:
        self._database = database
        self._revocation = revocation
        self._in_force = in_force

    @property
    def configured(self) -> frozenset[str]:
        """Which of them the configuration sets."""
        return frozenset(self._in_force.configured)

    async def show(self) -> OrganizationWithLimits:
        async with self._database.read() as connection:
            organization = await require_organization(connection)
            return OrganizationWithLimits(organization, await self._in_force.read(connection))

    async def change(self, wanted: Mapping[str, Any]) -> OrganizationWithLimits:
        """Change the limits that are named. Raises `Conflict` for one that the configuration sets otherwise."""
        async with self._revocation.transaction() as transaction:
            before = await find_key_limits(transaction.connection)
            in_force = asdict(await self._in_force.read(transaction.connection))
            changes = {name: value for name, value in wanted.items() if in_force[name] != value}
            for name in changes:
                self._require_changeable(name)
            if changes:
                await store_key_limits(transaction.connection, replace(before, **changes))
                said = ", ".join(f"{name}={value}" for name, value in changes.items())
                await record(transaction.connection, EventKind.ORGANIZATION_CHANGED, change=said)
        if changes:
            _log.info("key_limits_changed", **changes)
        return await self.show()

    def _require_changeable(self, name: str) -> None:
        if name in self.configured:
            message = f"`{name}` is set in the configuration (organization.{name}), and can only be changed there."
            raise Conflict(message)
