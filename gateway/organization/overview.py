"""The organization at a glance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.errors import NotFound
from gateway.models import Organization, OrganizationRole, Workspace
from gateway.storage.accounts import list_accounts
from gateway.storage.organizations import find_organization
from gateway.storage.workspaces import list_workspaces

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.storage.database import Database


@dataclass(frozen=True, slots=True)
class Overview:
    """What there is, and how many people have each role."""

    organization: Organization
    workspaces: tuple[Workspace, ...]
    members: Mapping[OrganizationRole, int]


async def require_organization(connection: AsyncConnection) -> Organization:
    """Raise `NotFound` where nothing was set up yet."""
    organization = await find_organization(connection)
    if organization is None:
        message = "there is no organization yet: `gateway bootstrap` makes it, as the first `gateway serve` does"
        raise NotFound(message)
    return organization


async def survey(database: Database) -> Overview:
    """Look at all of it. Raises `NotFound` where nothing was set up yet."""
    async with database.read() as connection:
        organization = await require_organization(connection)
        roles = Counter(account.role for account in await list_accounts(connection))
        workspaces = await list_workspaces(connection)
    return Overview(organization, tuple(workspaces), {role: roles[role] for role in OrganizationRole})
