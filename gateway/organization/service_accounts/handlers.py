"""The service accounts, as programs manage them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from aiohttp import web
from pydantic import AfterValidator, Field

from gateway.grammar.moments import format_moment
from gateway.grammar.service_names import parse_service_name
from gateway.models import OrganizationRole, WorkspaceRole
from gateway.organization.service_accounts.service_accounts import WantedServiceAccount
from gateway.web.bodies import Body, Text, read_json

if TYPE_CHECKING:
    from gateway.models import Principal
    from gateway.organization.service_accounts.service_accounts import KnownServiceAccount, ServiceAccounts

_MAX_WORKSPACES = 500

ServiceName = Annotated[
    Text,
    AfterValidator(parse_service_name),
    Field(description="1 to 80 characters, without a comma.", examples=["nightly report"]),
]
WorkspaceIds = Annotated[tuple[Text, ...], Field(max_length=_MAX_WORKSPACES)]


class ServiceAccountBody(Body):
    """The body of `PATCH /api/v1/service-accounts/:id`: what is left out stays as it is."""

    role: OrganizationRole | None = None
    workspaces: WorkspaceIds | None = None
    workspace_role: WorkspaceRole | None = None
    default_workspace_id: Text | None = None

    def wanted(self) -> WantedServiceAccount:
        return WantedServiceAccount(
            role=self.role,
            workspace_ids=self.workspaces,
            workspace_role=self.workspace_role,
            default_workspace_id=self.default_workspace_id,
            default_workspace_said="default_workspace_id" in self.model_fields_set,
        )


class NewServiceAccountBody(ServiceAccountBody):
    """The body of `POST /api/v1/service-accounts`."""

    name: ServiceName


@dataclass(frozen=True, slots=True)
class ServiceAccountHandlers:
    """`/api/v1/service-accounts`."""

    service_accounts: ServiceAccounts

    async def create(self, request: web.Request, asker: Principal) -> web.Response:
        body = await read_json(request, NewServiceAccountBody)
        return web.json_response(_shown(await self.service_accounts.add(body.name, body.wanted(), asker=asker)))

    async def list(self, _request: web.Request, _asker: Principal) -> web.Response:
        return web.json_response([_shown(one) for one in await self.service_accounts.list()])

    async def show(self, request: web.Request, _asker: Principal) -> web.Response:
        return web.json_response(_shown(await self.service_accounts.find(_id_of(request))))

    async def change(self, request: web.Request, asker: Principal) -> web.Response:
        body = await read_json(request, ServiceAccountBody)
        return web.json_response(
            _shown(await self.service_accounts.change(_id_of(request), body.wanted(), asker=asker))
        )

    async def remove(self, request: web.Request, _asker: Principal) -> web.Response:
        await self.service_accounts.remove(_id_of(request))
        return web.Response(status=204)


def _id_of(request: web.Request) -> str:
    return request.match_info["service_account_id"]


def _shown(known: KnownServiceAccount) -> dict[str, Any]:
    account = known.account
    return {
        "id": account.id,
        "name": account.name,
        "role": account.role.value,
        "workspaces": [
            {"id": one.workspace.id, "display_name": one.workspace.display_name, "role": one.role.value}
            for one in known.memberships
        ],
        "default_workspace_id": account.default_workspace_id,
        "created_at": format_moment(account.created_at),
    }
