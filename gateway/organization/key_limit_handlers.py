"""What the organization allows of new keys, as programs read and set it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

from aiohttp import web
from pydantic import Field, StrictBool, StrictInt

from gateway.key_limits import MAX_EXPIRY_DAYS
from gateway.web.bodies import Body, read_json

if TYPE_CHECKING:
    from gateway.models import Principal
    from gateway.organization.key_limits import OrganizationKeyLimits, OrganizationWithLimits

Days = Annotated[StrictInt, Field(ge=1, le=MAX_EXPIRY_DAYS)]


class OrganizationInfoBody(Body):
    """The body of `PATCH /api/v1/orgs/current/info`: what is left out stays, `null` is no limit."""

    pat_creation_disabled: StrictBool = False
    max_api_key_expiry_days: Days | None = None
    max_pat_expiry_days: Days | None = None
    max_service_key_expiry_days: Days | None = None

    def wanted(self) -> dict[str, Any]:
        return self.model_dump(exclude_unset=True)


@dataclass(frozen=True, slots=True)
class OrganizationInfoHandlers:
    """`/api/v1/orgs/current/info`."""

    limits: OrganizationKeyLimits

    async def show(self, _request: web.Request, _asker: Principal) -> web.Response:
        return web.json_response(self._shown(await self.limits.show()))

    async def change(self, request: web.Request, _asker: Principal) -> web.Response:
        body = await read_json(request, OrganizationInfoBody)
        return web.json_response(self._shown(await self.limits.change(body.wanted())))

    def _shown(self, known: OrganizationWithLimits) -> dict[str, Any]:
        return {
            "id": known.organization.id,
            "display_name": known.organization.display_name,
            **asdict(known.limits),
            "set_in_configuration": sorted(self.limits.configured),
        }
