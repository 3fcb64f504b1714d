"""The one organization, as LangSmith's clients ask for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

from aiohttp import web

from gateway.errors import Forbidden
from gateway.models import Principal
from gateway.permissions import ORGANIZATION_PERMISSIONS


@dataclass(frozen=True, slots=True)
class OrganizationHandlers:
    """`/api/v1/orgs`."""

    async def current(self, _request: web.Request, asker: Principal) -> web.Response:
        return web.json_response(_shown(asker))

    async def list(self, _request: web.Request, asker: Principal) -> web.Response:
        return web.json_response([_shown(asker)])

    async def create(self, _request: web.Request, asker: Principal) -> NoReturn:
        name = asker.standing.organization.display_name
        message = f"There is the one organization {name}: more cannot be created. Workspaces divide it."
        raise Forbidden(message)


def _shown(asker: Principal) -> dict[str, Any]:
    organization = asker.standing.organization
    return {
        "id": organization.id,
        "display_name": organization.display_name,
        "auth_mode": organization.mode.value,
        "is_personal": False,
        "role": asker.role.value,
        "permissions": sorted(
            permission.value for permission, roles in ORGANIZATION_PERMISSIONS.items() if asker.role in roles
        ),
    }
