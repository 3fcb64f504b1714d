"""The application: handlers over the collaborators, and what lives as long as they do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import aiohttp_session
import structlog
from aiohttp import web

from gateway.account.api_key_handlers import ApiKeyHandlers
from gateway.account.api_keys import OwnedApiKeys
from gateway.account.handlers import AccountHandlers
from gateway.account.password_change import PasswordChange
from gateway.errors import Unavailable
from gateway.forward_auth.authentication import RequestAuthenticator
from gateway.forward_auth.check import Check, CheckSettings
from gateway.forward_auth.denied import DeniedPage
from gateway.forward_auth.handlers import DeniedHandler
from gateway.forward_auth.identity_headers import IdentityHeaders
from gateway.forward_auth.policy import compile_policy
from gateway.login.api_handlers import LoginApi
from gateway.login.handlers import LoginPages
from gateway.login.password_login import PasswordLogin
from gateway.organization.bootstrap import Bootstrap
from gateway.organization.handlers import SetupPages
from gateway.parts import Parts, make_parts
from gateway.routes import Handlers, add_routes
from gateway.web.bodies import MAX_BODY
from gateway.web.errors import RefusalAnswers, stamp_answer
from gateway.web.page_state import SignedCookieStorage

if TYPE_CHECKING:
    from gateway.config.secrets import Secrets
    from gateway.config.settings import Settings
    from gateway.storage.database import Database

_log = structlog.get_logger("gateway")


def create_app(settings: Settings, secrets: Secrets, database: Database) -> web.Application:
    """Make the application over a migrated and bootstrapped database, which it closes at its end."""
    parts = make_parts(settings, secrets, database)
    page_state = SignedCookieStorage(key=secrets.derive("page state"), secure=parts.portal.cookie.secure)
    app = web.Application(
        client_max_size=MAX_BODY,
        middlewares=[
            RefusalAnswers(parts.portal.pages, secure=parts.portal.cookie.secure).answer,
            aiohttp_session.session_middleware(page_state),
        ],
    )
    app.on_response_prepare.append(stamp_answer)
    add_routes(app, _make_handlers(settings, secrets, parts))
    app.cleanup_ctx.append(_closing(parts))
    app.cleanup_ctx.append(_in_background(parts.facts.tail.run))
    app.cleanup_ctx.append(_in_background(parts.sessions.last_use.run))
    app.cleanup_ctx.append(_in_background(parts.api_keys.last_use.run))
    return app


def _make_handlers(settings: Settings, secrets: Secrets, parts: Parts) -> Handlers:
    login = PasswordLogin(proof=parts.proof, sessions=parts.sessions)
    bootstrap = Bootstrap(parts.database, passwords=parts.passwords, token_key=secrets.derive("one-time token"))
    denied_page = DeniedPage(parts.portal.pages, settings.public_url)
    return Handlers(
        portal=parts.portal,
        check=_make_check(settings, parts, denied_page),
        login_pages=LoginPages(
            portal=parts.portal,
            login=login,
            revocation=parts.revocation,
            return_urls=parts.return_urls,
            remember_me_lifetime=settings.session.remember_me_lifetime,
            email_login_allowed=settings.auth_api.allow_email_login,
        ),
        login_api=LoginApi(
            portal=parts.portal,
            login=login,
            revocation=parts.revocation,
            access_tokens=parts.access_tokens,
            profiles=parts.profiles,
            remember_me_lifetime=settings.session.remember_me_lifetime,
            email_login_allowed=settings.auth_api.allow_email_login,
        ),
        account=_make_account(parts),
        api_keys=_make_api_keys(parts),
        setup_pages=SetupPages(portal=parts.portal, bootstrap=bootstrap),
        denied_page=DeniedHandler(parts.portal, denied_page),
    )


def _make_check(settings: Settings, parts: Parts, denied_page: DeniedPage) -> Check:
    return Check(
        CheckSettings(
            public_url=settings.public_url,
            max_answer_headers=settings.max_answer_headers,
            forward_credentials=settings.forward_credentials,
        ),
        trusted_proxies=parts.portal.trusted_proxies,
        authenticator=RequestAuthenticator(
            parts.recognition,
            cookie_name=settings.session_cookie_name,
            basic_credentials=settings.basic_credentials,
        ),
        policy=compile_policy(settings.access_control),
        identity_headers=IdentityHeaders(
            settings.identity_headers.facts, percent_encoded=settings.identity_headers.encoding == "percent"
        ),
        denied_page=denied_page,
    )


def _make_account(parts: Parts) -> AccountHandlers:
    change = PasswordChange(
        proof=parts.proof, passwords=parts.passwords, sessions=parts.sessions, revocation=parts.revocation
    )
    return AccountHandlers(
        portal=parts.portal,
        database=parts.database,
        profiles=parts.profiles,
        password_change=change,
        return_urls=parts.return_urls,
    )


def _make_api_keys(parts: Parts) -> ApiKeyHandlers:
    owned = OwnedApiKeys(parts.database, api_keys=parts.api_keys, revocation=parts.revocation)
    return ApiKeyHandlers(portal=parts.portal, api_keys=owned)


def _closing(parts: Parts) -> Callable[[web.Application], AsyncIterator[None]]:
    """Write what is still in memory and close everything, after the background work has ended."""

    async def context(_app: web.Application) -> AsyncIterator[None]:
        yield
        with suppress(Unavailable):
            await parts.sessions.last_use.write()
            await parts.api_keys.last_use.write()
        parts.passwords.close()
        await parts.database.close()

    return context


def _in_background(work: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[web.Application], AsyncIterator[None]]:
    """Run for as long as the application lives. Work that ends by an error is said and begun again."""

    async def repeat() -> None:
        while True:
            try:
                await work()
            except Exception:  # noqa: BLE001 - logged with its traceback
                _log.exception("background_work_failed", work=work.__qualname__)
                await asyncio.sleep(1)

    async def context(_app: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(repeat())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    return context
