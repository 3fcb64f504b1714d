"""A person's API keys, as programs manage them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from aiohttp import web
from pydantic import AfterValidator, ConfigDict, Field, StrictInt

from gateway.account.api_keys import LONGEST_OVERLAP
from gateway.account.key_scopes import MAX_SCOPES, parse_scope, plain_scope
from gateway.api_keys import Grant
from gateway.grammar.moments import format_moment, parse_moment
from gateway.web.bodies import Body, Name, Text, read_json

if TYPE_CHECKING:
    from gateway.account.api_keys import OwnedApiKeys
    from gateway.models import ApiKey, Scope
    from gateway.web.portal import Portal


class ScopeBody(Body):
    """One scope. A misspelt part would widen the key, so that unknown ones are refused here."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    host: Text | None = None
    path: Text | None = None
    methods: list[Text] | None = None

    def scope(self) -> Scope:
        return parse_scope(host=self.host or "", path=self.path or "", methods=self.methods or ())


def _require_readable(scopes: tuple[ScopeBody, ...]) -> tuple[ScopeBody, ...]:
    for scope in scopes:
        scope.scope()
    return scopes


def _require_moment(text: str) -> str:
    parse_moment(text)
    return text


class NewApiKeyBody(Body):
    """The body of `POST /api/api-keys`."""

    name: Name
    expiresAt: Annotated[Text, AfterValidator(_require_moment)] | None = None  # noqa: N815 - the API's name
    scopes: Annotated[tuple[ScopeBody, ...], AfterValidator(_require_readable)] = Field(
        default=(), max_length=MAX_SCOPES
    )

    def grant(self) -> Grant:
        return Grant(
            name=self.name,
            scopes=tuple(scope.scope() for scope in self.scopes),
            expires_at=None if self.expiresAt is None else parse_moment(self.expiresAt),
        )


class RotationBody(Body):
    """The body of `POST /api/api-keys/:id/rotate`; without an overlap the old key ends at once."""

    overlapSeconds: StrictInt = Field(default=0, ge=0, le=int(LONGEST_OVERLAP.total_seconds()))  # noqa: N815 - the API's name


@dataclass(frozen=True, slots=True)
class ApiKeyHandlers:
    """`/api/api-keys`. An access token is wanted for each: neither a cookie nor a key can make or end keys."""

    portal: Portal
    api_keys: OwnedApiKeys

    async def create(self, request: web.Request) -> web.Response:
        owner = await self.portal.by_bearer(request)
        body = await read_json(request, NewApiKeyBody)
        return self._created(*await self.api_keys.create(owner.account_id, body.grant(), session_id=owner.session_id))

    async def list(self, request: web.Request) -> web.Response:
        owner = await self.portal.by_bearer(request)
        return web.json_response([self._shown(api_key) for api_key in await self.api_keys.list(owner.account_id)])

    async def show(self, request: web.Request) -> web.Response:
        owner = await self.portal.by_bearer(request)
        api_key = await self.api_keys.find(owner.account_id, request.match_info["api_key_id"])
        return web.json_response(self._shown(api_key))

    async def rotate(self, request: web.Request) -> web.Response:
        owner = await self.portal.by_bearer(request)
        body = await read_json(request, RotationBody)
        overlap = timedelta(seconds=body.overlapSeconds)
        rotated = await self.api_keys.rotate(
            owner.account_id, request.match_info["api_key_id"], overlap=overlap, session_id=owner.session_id
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
            "expiresAt": _moment_or_none(api_key.expires_at),
            "lastUsedAt": _moment_or_none(self.api_keys.last_used_at(api_key)),
        }


def _moment_or_none(moment: datetime | None) -> str | None:
    return None if moment is None else format_moment(moment)
