"""Every URL on one page, grouped by who calls it, its guard beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from gateway.forward_auth.handlers import DeniedHandler, check_handler
from gateway.forward_auth.original_request import Endpoint
from gateway.resources import resource_folder

if TYPE_CHECKING:
    from gateway.account.api_key_handlers import ApiKeyHandlers
    from gateway.account.handlers import AccountHandlers
    from gateway.forward_auth.check import Check
    from gateway.login.api_handlers import LoginApi
    from gateway.login.handlers import LoginPages
    from gateway.organization.handlers import SetupPages
    from gateway.web.errors import Handler
    from gateway.web.portal import Portal

Guard = Callable[[web.Request], None]


@dataclass(frozen=True, slots=True)
class Handlers:
    """Everything that answers, made by the wiring."""

    portal: Portal
    check: Check
    login_pages: LoginPages
    login_api: LoginApi
    account: AccountHandlers
    api_keys: ApiKeyHandlers
    setup_pages: SetupPages
    denied_page: DeniedHandler


def add_routes(app: web.Application, handlers: Handlers) -> None:
    """Add every route.

    `own_origin` refuses what another site's page sent. Handlers that need a principal ask the portal for it by
    cookie (pages) or by bearer token (API): the first line of each says which.
    """
    own_origin = handlers.portal.require_own_origin
    pages, api, account, setup = handlers.login_pages, handlers.login_api, handlers.account, handlers.setup_pages
    keys = handlers.api_keys
    routes = (
        # Proxies. Any method is a check; who may ask is the check's first question.
        _route("*", "/api/authz/auth-request", check_handler(handlers.check, Endpoint.AUTH_REQUEST)),
        _route("*", "/api/authz/forward-auth", check_handler(handlers.check, Endpoint.FORWARD_AUTH)),
        _route("GET", "/healthz", _healthz),
        # People.
        _route("GET", "/", account.home),
        _route("GET", "/login", pages.show),
        _route("POST", "/login", pages.submit, own_origin),
        _route("GET", "/logout", account.home),
        _route("POST", "/logout", pages.log_out, own_origin),
        _route("GET", "/change-password", account.show_password_change),
        _route("POST", "/change-password", account.submit_password_change, own_origin),
        _route("GET", "/setup", setup.show),
        _route("POST", "/setup", setup.submit, own_origin),
        _route("GET", "/denied/{decision_id:[0-9a-f]{1,64}}", handlers.denied_page.show),
        # Programs.
        _route("POST", "/api/auth/login", api.log_in, own_origin),
        _route("POST", "/api/auth/logout", api.log_out, own_origin),
        _route("POST", "/api/auth/changePassword", account.change_password),
        _route("GET", "/api/user", account.who_am_i),
        _route("POST", "/api/api-keys", keys.create),
        _route("GET", "/api/api-keys", keys.list),
        _route("GET", "/api/api-keys/{api_key_id}", keys.show),
        _route("DELETE", "/api/api-keys/{api_key_id}", keys.delete),
        _route("POST", "/api/api-keys/{api_key_id}/rotate", keys.rotate),
    )
    app.add_routes(routes)
    app.router.add_static("/static/", resource_folder("static"))


def _route(method: str, path: str, handler: Handler, guard: Guard | None = None) -> web.RouteDef:
    guarded = handler if guard is None else _guarded(handler, guard)
    # aiohttp answers HEAD beside GET only for routes made this way.
    if method == "GET":
        return web.get(path, guarded, expect_handler=_ignore_expect)
    return web.route(method, path, guarded, expect_handler=_ignore_expect)


async def _ignore_expect(_request: web.Request) -> None:
    """Read on without `100 Continue`: nginx takes it for a broken answer, and clients send their body anyway."""


def _guarded(handler: Handler, guard: Guard) -> Handler:
    async def guarded(request: web.Request) -> web.StreamResponse:
        guard(request)
        return await handler(request)

    return guarded


async def _healthz(_request: web.Request) -> web.Response:
    """Say that the process is alive; whether it is ready is another question."""
    return web.json_response({"status": "ok"})
