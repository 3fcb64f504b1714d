"""The keys of service accounts, as programs manage them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from aiohttp import web

from gateway.api_keys import Grant
from gateway.credentials.key_scopes import plain_scope
from gateway.grammar.moments import format_moment, format_moment_or_none, parse_moment
from gateway.web.bodies import Body, Name, Text, read_json
from gateway.web.key_bodies import Expiry, KeyScopes, OverlapSeconds

if TYPE_CHECKING:
    from gateway.models import ApiKey, Principal
    from gateway.owned_api_keys import OwnedApiKeys


class NewServiceKeyBody(Body):
    """The body of `POST /api/v1/orgs/current/service-keys`."""

    service_account_id: Text
    description: Name
    expires_at: Expiry | None = None
    scopes: KeyScopes = ()

    def grant(self) -> Grant:
        return Grant(
            name=self.description,
            scopes=tuple(scope.scope() for scope in self.scopes),
            expires_at=None if self.expires_at is None else parse_moment(self.expires_at),
        )


class ServiceKeyRotationBody(Body):
    """The body of `POST /api/v1/orgs/current/service-keys/:id/rotate`."""

    overlap_seconds: OverlapSeconds = 0


@dataclass(frozen=True, slots=True)
class ServiceKeyHandlers:
    """`/api/v1/orgs/current/service-keys`."""

    keys: OwnedApiKeys

    async def create(self, request: web.Request, asker: Principal) -> web.Response:
        body = await read_json(request, NewServiceKeyBody)
        return self._created(*await self.keys.create(body.service_account_id, body.grant(), asker=asker))

    async def list(self, _request: web.Request, _asker: Principal) -> web.Response:
        return web.json_response([self._shown(api_key) for api_key in await self.keys.list()])

    async def rotate(self, request: web.Request, asker: Principal) -> web.Response:
        body = await read_json(request, ServiceKeyRotationBody)
        overlap = timedelta(seconds=body.overlap_seconds)
        return self._created(*await self.keys.rotate(None, _id_of(request), overlap=overlap, asker=asker))

    async def delete(self, request: web.Request, _asker: Principal) -> web.Response:
        await self.keys.delete(None, _id_of(request))
        return web.Response(status=204)

    def _created(self, api_key: ApiKey, key: str) -> web.Response:
        shown = self._shown(api_key)
        del shown["last_used_at"]
        return web.json_response({"key": key, **shown})

    def _shown(self, api_key: ApiKey) -> dict[str, Any]:
        return {
            "id": api_key.id,
            "short_key": api_key.prefix,
            "description": api_key.name,
            "service_account_id": api_key.owner_id,
            "scopes": [plain_scope(scope) for scope in api_key.scopes],
            "created_at": format_moment(api_key.created_at),
            "expires_at": format_moment_or_none(api_key.expires_at),
            "last_used_at": format_moment_or_none(self.keys.last_used_at(api_key)),
        }


def _id_of(request: web.Request) -> str:
    return request.match_info["key_id"]
