"""The application: handlers over the collaborators, and what lives as long as they do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import aiohttp_session
import structlog
from aiohttp import web

from gateway.errors import Unavailable
from gateway.forward_auth.checks import Checks
from gateway.forward_auth.denied import DeniedPage
from gateway.forward_auth.handlers import DeniedHandler
from gateway.handlers import Handlers
from gateway.health.handlers import HealthHandlers
from gateway.health.readiness import Readiness
from gateway.organization.bootstrap import Bootstrap
from gateway.organization.setup_handlers import SetupPages
from gateway.routes import add_routes
from gateway.web.ban_guard import BanGuard
from gateway.web.bodies import MAX_BODY
from gateway.web.circumstances import NoteCircumstances
from gateway.web.errors import RefusalAnswers, stamp_answer
from gateway.web.page_state import SignedCookieStorage
from gateway.wiring.account import make_account, make_sessions
from gateway.wiring.check import make_checks
from gateway.wiring.doorbell import doorbell_work
from gateway.wiring.logins import make_logins
from gateway.wiring.members import make_members
from gateway.wiring.parts import Parts, make_parts
from gateway.wiring.registration import make_registration
from gateway.wiring.service_accounts import make_api_keys, make_service_accounts
from gateway.wiring.team import make_team
from gateway.wiring.upkeep import make_upkeep

if TYPE_CHECKING:
    from gateway.config.secrets import Secrets
    from gateway.config.settings import Settings
    from gateway.forward_auth.check import Check
    from gateway.storage.database import Database
    from gateway.wiring.work import Work

_log = structlog.get_logger("gateway")

# For the lane that answers checks beside the application.
CHECKS = web.AppKey("checks", Checks)

# The supervisor ends whoever takes too long to stop; what a slow database has not taken by then is given up.
_LAST_USES_WITHIN = timedelta(seconds=5)


def create_app(settings: Settings, secrets: Secrets, database: Database) -> web.Application:
    """Make the application over a migrated and bootstrapped database, which stays open."""
    parts = make_parts(settings, secrets, database)
    page_state = SignedCookieStorage(key=secrets.derive("page state"), secure=parts.portal.cookie.secure)
    app = web.Application(
        client_max_size=MAX_BODY,
        middlewares=[
            RefusalAnswers(parts.portal.pages, secure=parts.portal.cookie.secure).answer,
            NoteCircumstances(parts.portal).answer,
            aiohttp_session.session_middleware(page_state),
        ],
    )
    app.on_response_prepare.append(stamp_answer)
    denied_page = DeniedPage(parts.portal.pages, settings.public_url)
    app[CHECKS] = checks = make_checks(settings, parts, denied_page)
    add_routes(app, _make_handlers(settings, secrets, parts, check=checks.full, denied_page=denied_page))
    app.cleanup_ctx.append(_closing(parts))
    app.cleanup_ctx.append(_in_background(parts.facts.tail.run, first=parts.facts.tail.begin))
    if parts.doorbell is not None:
        app.cleanup_ctx.extend(_in_background(work) for work in doorbell_work(parts.doorbell, parts.facts))
    if parts.mail_sender is not None:
        app.cleanup_ctx.append(_in_background(parts.mail_sender.run))
    if parts.throttle.addresses.violations is not None:
        app.cleanup_ctx.append(_in_background(parts.throttle.addresses.violations.run))
    app.cleanup_ctx.append(_in_background(parts.sessions.last_use.run))
    app.cleanup_ctx.append(_in_background(parts.api_keys.last_use.run))
    app.cleanup_ctx.extend(_in_background(work) for work in make_upkeep(settings, secrets, database))
    return app


def _make_handlers(
    settings: Settings, secrets: Secrets, parts: Parts, *, check: Check, denied_page: DeniedPage
) -> Handlers:
    logins = make_logins(settings, secrets, parts)
    bootstrap = Bootstrap(parts.database, passwords=parts.passwords, token_key=secrets.derive("one-time token"))
    return Handlers(
        portal=parts.portal,
        check=check,
        login_pages=logins.pages,
        login_api=logins.api,
        v1_login=logins.v1,
        refresh_api=logins.refresh_api,
        public_config=logins.public_config,
        account=make_account(parts),
        sessions=make_sessions(parts),
        api_keys=make_api_keys(settings, parts),
        service_accounts=make_service_accounts(settings, parts),
        setup_pages=SetupPages(portal=parts.portal, bootstrap=bootstrap),
        denied_page=DeniedHandler(parts.portal, denied_page),
        registration=make_registration(settings, secrets, parts),
        second_factor=logins.second_factor,
        members=make_members(settings, parts),
        team=make_team(parts),
        health=HealthHandlers(Readiness(parts.facts.tail.contact, parts.doorbell), read_log=parts.facts.tail.catch_up),
        ban_guard=BanGuard(parts.portal, parts.database, parts.throttle.addresses),
    )


def _closing(parts: Parts) -> Callable[[web.Application], AsyncIterator[None]]:
    """Write what is still in memory and close what was opened here, after the background work has ended."""

    async def context(_app: web.Application) -> AsyncIterator[None]:
        yield
        with suppress(Unavailable, TimeoutError):
            async with asyncio.timeout(_LAST_USES_WITHIN.total_seconds()):
                await parts.sessions.last_use.write()
                await parts.api_keys.last_use.write()
        parts.passwords.close()
        await parts.throttle.addresses.close()
        if parts.doorbell is not None:
            await parts.doorbell.close()

    return context


def _in_background(work: Work, *, first: Work | None = None) -> Callable[[web.Application], AsyncIterator[None]]:
    """Run for as long as the application lives. Work that ends by an error is said and begun again.

    `first` is done before the application answers anybody; where the database is away it is left to the work.
    """

    async def repeat() -> None:
        while True:
            try:
                await work()
            except Exception:  # noqa: BLE001 - logged with its traceback
                _log.exception("background_work_failed", work=work.__qualname__)
                await asyncio.sleep(1)

    async def context(_app: web.Application) -> AsyncIterator[None]:
        if first is not None:
            with suppress(Unavailable):
                await first()
        task = asyncio.create_task(repeat())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    return context
