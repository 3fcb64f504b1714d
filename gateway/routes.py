"""Every URL on one page, grouped by who calls it, its guard beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aiohttp import web

from gateway.forward_auth.handlers import check_handler
from gateway.forward_auth.original_request import Endpoint
from gateway.openapi import (
    account_operations,
    api_key_operations,
    proxy_operations,
    registration_operations,
    second_factor_operations,
    session_operations,
)
from gateway.openapi.handlers import ApiDescription
from gateway.permissions import Permission
from gateway.resources import resource_folder
from gateway.route import Route, route
from gateway.v1_routes import v1_routes
from gateway.web.permission_guard import Permitted

if TYPE_CHECKING:
    from gateway.handlers import Handlers
    from gateway.openapi.operation import DescribedRoute
    from gateway.web.portal import Portal


def add_routes(app: web.Application, handlers: Handlers) -> None:
    """Add every route, and the description of those that programs ask for.

    `own_origin` refuses what another site's page sent, `not_banned` whatever a banned address sends to a path that
    takes a secret, and everything there where nobody logs in, as `logins` does on pages about them; sessions, tokens
    and API keys made before count on. Handlers that need a principal ask the portal for it by cookie (pages) or by
    bearer token (API): the first line of each says which.
    """
    routes = all_routes(handlers)
    described = [route.described for route in routes if route.described is not None]
    app.add_routes(route.definition for route in (*routes, *_description(handlers.portal, described)))
    app.router.add_static("/static/", resource_folder("static"))


def all_routes(handlers: Handlers) -> tuple[Route, ...]:
    """Give every route but those of the description."""
    return (
        *_for_proxies(handlers),
        *_for_people(handlers),
        *_for_newcomers(handlers),
        *_for_second_factors(handlers),
        *_for_programs(handlers),
        *_for_programs_of_newcomers(handlers),
        *v1_routes(handlers),
    )


def _for_proxies(handlers: Handlers) -> tuple[Route, ...]:
    """Any method is a check; who may ask is the check's first question."""
    nginx = check_handler(handlers.check, Endpoint.AUTH_REQUEST)
    traefik = check_handler(handlers.check, Endpoint.FORWARD_AUTH)
    return (
        route("*", "/api/authz/auth-request", nginx, says=proxy_operations.AUTH_REQUEST),
        route("*", "/api/authz/forward-auth", traefik, says=proxy_operations.FORWARD_AUTH),
        route("GET", "/healthz", handlers.health.alive, says=proxy_operations.HEALTH),
        route("GET", "/readyz", handlers.health.ready, says=proxy_operations.READINESS),
    )


def _for_people(handlers: Handlers) -> tuple[Route, ...]:
    own_origin, not_banned = handlers.portal.require_own_origin, handlers.ban_guard.before
    pages, account, setup = handlers.login_pages, handlers.account, handlers.setup_pages
    logins = handlers.portal.require_logins
    return (
        route("GET", "/", account.home),
        route("GET", "/login", pages.show),
        route("POST", "/login", not_banned(pages.submit), own_origin),
        route("GET", "/logout", account.home),
        route("POST", "/logout", pages.log_out, own_origin),
        route("GET", "/change-password", account.show_password_change, logins),
        route("POST", "/change-password", not_banned(account.submit_password_change), own_origin),
        route("GET", "/setup", setup.show),
        route("POST", "/setup", not_banned(setup.submit), own_origin),
        route("GET", "/denied/{decision_id:[0-9a-f]{1,64}}", handlers.denied_page.show),
    )


def _for_newcomers(handlers: Handlers) -> tuple[Route, ...]:
    """Pages for whoever comes in, or back in, by mail."""
    own_origin, not_banned = handlers.portal.require_own_origin, handlers.ban_guard.before
    pages, reset = handlers.registration.pages, handlers.registration.reset_pages
    logins = handlers.portal.require_logins
    return (
        route("GET", "/register", pages.show, logins),
        route("POST", "/register", not_banned(pages.submit), own_origin),
        route("GET", "/check-mail", pages.check_mail, logins),
        route("GET", "/verify", pages.show_verification, logins),
        route("POST", "/verify", not_banned(pages.verify), own_origin),
        route("POST", "/verify/resend", not_banned(pages.send_link_again), own_origin),
        route("GET", "/forgot-password", reset.show_request, logins),
        route("POST", "/forgot-password", not_banned(reset.submit_request), own_origin),
        route("GET", "/reset-password", reset.show_reset, logins),
        route("POST", "/reset-password", not_banned(reset.submit_reset), own_origin),
    )


def _for_second_factors(handlers: Handlers) -> tuple[Route, ...]:
    """Pages and programs alike; the API takes the access token, and the step of a login what the login gave."""
    own_origin, not_banned = handlers.portal.require_own_origin, handlers.ban_guard.before
    own, says = handlers.second_factor, second_factor_operations
    login, step, pages, api = own.login_pages, own.login_api, own.pages, own.api
    logins = handlers.portal.require_logins
    return (
        route("GET", "/login/second-factor", login.show, logins),
        route("POST", "/login/second-factor", not_banned(login.submit), own_origin),
        route("GET", "/second-factor", pages.show, logins),
        route("POST", "/second-factor", not_banned(pages.confirm), own_origin),
        route("POST", "/second-factor/recovery-codes", not_banned(pages.replace_codes), own_origin),
        route("POST", "/second-factor/disable", not_banned(pages.disable), own_origin),
        route("POST", "/api/auth/2fa/verify-temp", not_banned(step.verify_temp), own_origin, says=says.VERIFY_TEMP),
        route("GET", "/api/auth/2fa/enable", not_banned(api.enable), says=says.ENABLE),
        route("POST", "/api/auth/2fa/enable", not_banned(api.enable), says=says.ENABLE_WITH_CODE),
        route("POST", "/api/auth/2fa/verify", not_banned(api.verify), says=says.VERIFY),
        route("POST", "/api/auth/2fa/confirm", not_banned(api.confirm), says=says.CONFIRM),
        route("POST", "/api/auth/2fa/disable", not_banned(api.disable), says=says.DISABLE),
        route("POST", "/api/auth/2fa/backup/regenerate", not_banned(api.replace_codes), says=says.REPLACE_CODES),
    )


def _for_programs(handlers: Handlers) -> tuple[Route, ...]:
    """Each says what the document needs to know about it."""
    own_origin, not_banned = handlers.portal.require_own_origin, handlers.ban_guard.before
    api, account, keys = handlers.login_api, handlers.account, handlers.api_keys
    sessions, change_password = handlers.sessions, not_banned(account.change_password)
    create, rotate = (Permitted(handlers.portal, Permission.API_KEYS_CREATE, one) for one in (keys.create, keys.rotate))
    return (
        route("POST", "/api/auth/login", not_banned(api.log_in), own_origin, says=session_operations.LOG_IN),
        route("POST", "/api/auth/logout", api.log_out, own_origin, says=session_operations.LOG_OUT),
        route("POST", "/api/auth/refresh", handlers.refresh_api.refresh, own_origin, says=session_operations.REFRESH),
        route("GET", "/api/auth/sessions", sessions.list, says=session_operations.LIST),
        route("DELETE", "/api/auth/sessions/{session_id}", sessions.end, says=session_operations.END),
        route("POST", "/api/auth/sessions/revoke-others", sessions.end_others, says=session_operations.END_OTHERS),
        route("GET", "/api/config", handlers.public_config.show, says=session_operations.CONFIG),
        route("POST", "/api/auth/changePassword", change_password, says=account_operations.CHANGE_PASSWORD),
        route("GET", "/api/user", account.who_am_i, says=account_operations.WHO_AM_I),
        route("POST", "/api/api-keys", create, says=api_key_operations.CREATE),
        route("GET", "/api/api-keys", keys.list, says=api_key_operations.LIST),
        route("GET", "/api/api-keys/{api_key_id}", keys.show, says=api_key_operations.SHOW),
        route("DELETE", "/api/api-keys/{api_key_id}", keys.delete, says=api_key_operations.DELETE),
        route("POST", "/api/api-keys/{api_key_id}/rotate", rotate, says=api_key_operations.ROTATE),
    )


def _for_programs_of_newcomers(handlers: Handlers) -> tuple[Route, ...]:
    """Give programs the same. Another site's page could use up its visitor's limits, and have their address banned."""
    own_origin, not_banned = handlers.portal.require_own_origin, handlers.ban_guard.before
    api, says = handlers.registration.api, registration_operations
    return (
        route("POST", "/api/auth/register", not_banned(api.register), own_origin, says=says.REGISTER),
        route("POST", "/api/user/verify", not_banned(api.verify), own_origin, says=says.VERIFY),
        route("POST", "/api/user/verify/resend", not_banned(api.send_link_again), own_origin, says=says.RESEND),
        route(
            "POST", "/api/auth/requestPasswordReset", not_banned(api.request_reset), own_origin, says=says.REQUEST_RESET
        ),
        route("POST", "/api/auth/resetPassword", not_banned(api.reset), own_origin, says=says.RESET),
    )


def _description(portal: Portal, described: Sequence[DescribedRoute]) -> tuple[Route, ...]:
    description = ApiDescription(portal=portal, routes=described)
    return (
        route("GET", "/openapi.json", description.show_document),
        route("GET", "/docs", description.show_page),
    )
