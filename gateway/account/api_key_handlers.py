"""A person's API keys, as programs manage them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from aiohttp import web

from gateway.api_keys import Grant
from gateway.credentials.key_scopes import plain_scope
from gateway.grammar.moments import format_moment, format_moment_or_none, parse_moment
from gateway.web.bodies import Body, Name, read_json
from gateway.web.key_bodies import Expiry, KeyScopes, OverlapSeconds

if TYPE_CHECKING:
    from gateway.models import ApiKey, Principal
    from gateway.owned_api_keys import OwnedApiKeys
    from gateway.web.portal import Portal


class NewApiKeyBody(Body):
    """The body of `POST /api/api-keys`."""

    name: Name
    expiresAt: Expiry | None = None  # noqa: N815 - the API's name
    scopes: KeyScopes = ()

    def grant(self) -> Grant:
        return Grant(
            name=self.name,
            scopes=tuple(scope.scope() for scope in self.scopes),
            expires_at=None if self.expiresAt is None else parse_moment(self.expiresAt),
        )


class RotationBody(Body):
    """The body of `POST /api/api-keys/:id/rotate`."""

    overlapSeconds: OverlapSeconds = 0  # noqa: N815 - the API's name


@dataclass(frozen=True, slots=True)
class ApiKeyHandlers:
    """`/api/api-keys`. An access token is wanted for each: neither a cookie nor a key can make or end keys."""

    portal: Portal
    api_keys: OwnedApiKeys

    async def create(self, request: web.Request, asker: Principal) -> web.Response:
        body = await read_json(request, NewApiKeyBody)
        return self._created(*await self.api_keys.create(asker.account_id, body.grant(), asker=asker))

    async def list(self, request: web.Request) -> web.Response:
        owner = await self.portal.by_bearer(request)
        return web.json_response([self._shown(api_key) for api_key in await self.api_keys.list(owner.account_id)])

    async def show(self, request: web.Request) -> web.Response:
        owner = await self.portal.by_bearer(request)
        api_key = await self.api_keys.find(owner.account_id, request.match_info["api_key_id"])
        return web.json_response(self._shown(api_key))

    async def rotate(self, request: web.Request, asker: Principal) -> web.Response:
        body = await read_json(request, RotationBody)
        overlap = timedelta(seconds=body.overlapSeconds)
        rotated = await self.api_keys.rotate(
            asker.account_id, request.match_info["api_key_id"], overlap=overlap, asker=asker
        )
        return self._created(*rotated)

    async def delete(self, request: web.Request) -> web.Response:
        owner = await self.portal.by_bearer(request)
        await self.api_keys.delete(owner.account_id, request.match_info["api_key_id"])
        return web.Response(status=204)

    def _created(self, api_key: ApiKey, key: str) -> web.Response:
        shown = self._shown(api_key)
        del shown["lastUsedAt"]
        return web.json_response({"key": key, **shown}, status=201)

    def _shown(self, api_key: ApiKey) -> dict[str, Any]:
        return {
            "id": api_key.id,
            "name": api_key.name,
            "keyPrefix": api_key.prefix,
            "scopes": [plain_scope(scope) for scope in api_key.scopes],
            "createdAt": format_moment(api_key.created_at),
            "expiresAt": format_moment_or_none(api_key.expires_at),
            "lastUsedAt": format_moment_or_none(self.api_keys.last_used_at(api_key)),
        }
