"""One route: where it is, who may call it, and what is said about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from gateway.openapi.operation import DescribedRoute, Operation
from gateway.web.permission_guard import Permitted

if TYPE_CHECKING:
    from gateway.permissions import Permission
    from gateway.web.errors import Handler

Guard = Callable[[web.Request], None]


@dataclass(frozen=True, slots=True)
class Route:
    """A route, the permission that it takes, and what the document says about it: all but pages have that."""

    definition: web.RouteDef
    permission: Permission | None
    described: DescribedRoute | None


def route(
    method: str, path: str, handler: Handler, guard: Guard | None = None, *, says: Operation | None = None
) -> Route:
    permission = handler.permission if isinstance(handler, Permitted) else None
    if isinstance(handler, Permitted):
        # aiohttp takes functions for handlers only where it sees that they are asynchronous.
        handler = handler.__call__
    guarded = handler if guard is None else _guarded(handler, guard)
    # aiohttp answers HEAD beside GET only for routes made this way.
    make = web.get if method == "GET" else partial(web.route, method)
    described = None if says is None else DescribedRoute(method, path, guard is not None, says, permission)
    return Route(make(path, guarded, expect_handler=_ignore_expect), permission, described)


async def _ignore_expect(_request: web.Request) -> None:
    """Read on without `100 Continue`: nginx takes it for a broken answer, and clients send their body anyway."""


def _guarded(handler: Handler, guard: Guard) -> Handler:
    async def guarded(request: web.Request) -> web.StreamResponse:
        guard(request)
        return await handler(request)

    return guarded
