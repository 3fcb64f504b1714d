"""The collaborators: every part that handlers share is made here, once, by constructor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.api_keys import ApiKeys
from gateway.client_address import TrustedProxies
from gateway.credentials.access_tokens import AccessTokens
from gateway.credentials.api_keys import ApiKeyFormat
from gateway.credentials.passwords import PasswordHashing
from gateway.facts.cache import FactsCache
from gateway.password_proof import PasswordProof
from gateway.recognition import Recognition
from gateway.revocation import Revocation
from gateway.sessions import SessionLifetimes, Sessions
from gateway.throttle import LoginThrottle
from gateway.web.cookies import SessionCookie
from gateway.web.pages import Pages
from gateway.web.portal import Portal
from gateway.web.profile import Profiles
from gateway.web.return_urls import ReturnUrls

if TYPE_CHECKING:
    from gateway.config.secrets import Secrets
    from gateway.config.settings import Settings
    from gateway.storage.database import Database


@dataclass(frozen=True, slots=True)
class Parts:
    """The collaborators, each made once; handlers are given those that they call."""

    database: Database
    passwords: PasswordHashing
    facts: FactsCache
    sessions: Sessions
    access_tokens: AccessTokens
    api_keys: ApiKeys
    recognition: Recognition
    revocation: Revocation
    proof: PasswordProof
    portal: Portal
    profiles: Profiles
    return_urls: ReturnUrls


def make_parts(settings: Settings, secrets: Secrets, database: Database) -> Parts:
    facts = FactsCache(
        database,
        max_entries=settings.facts.max_entries,
        max_age=settings.facts.max_age,
        outage_grace=settings.outage_grace,
    )
    sessions = Sessions(database, token_key=secrets.derive("session token"), lifetimes=_lifetimes(settings))
    access_tokens = AccessTokens(
        key=secrets.derive("access token"), issuer=settings.public_url, lifetime=settings.auth_api.session_expiry
    )
    api_keys = ApiKeys(database, key_format=ApiKeyFormat(settings.api_key_prefix), digest_key=secrets.api_key_salt)
    passwords = PasswordHashing()
    proof = PasswordProof(database, throttle=_throttle(settings, secrets), passwords=passwords)
    recognition = Recognition(
        facts=facts,
        sessions=sessions,
        access_tokens=access_tokens,
        api_keys=api_keys,
        api_key_level=1 if settings.api_keys_satisfy == "one_factor" else 2,
        proof=proof,
        force_password_change=settings.organization.force_password_change,
    )
    return Parts(
        database=database,
        passwords=passwords,
        facts=facts,
        sessions=sessions,
        access_tokens=access_tokens,
        api_keys=api_keys,
        recognition=recognition,
        revocation=Revocation(database, doorbell=facts.apply),
        proof=proof,
        portal=_portal(settings, recognition),
        profiles=_profiles(settings),
        return_urls=_return_urls(settings),
    )


def _lifetimes(settings: Settings) -> SessionLifetimes:
    return SessionLifetimes(
        idle_timeout=settings.session.idle_timeout,
        lifetime=settings.session.lifetime,
        remember_me_lifetime=settings.session.remember_me_lifetime,
    )


def _throttle(settings: Settings, secrets: Secrets) -> LoginThrottle:
    return LoginThrottle(
        key=secrets.derive("login failures"),
        max_failures=settings.auth_api.login_max,
        window=settings.auth_api.login_window,
    )


def _portal(settings: Settings, recognition: Recognition) -> Portal:
    return Portal(
        public_url=settings.public_url,
        pages=Pages(settings.site_name),
        cookie=SessionCookie(name=settings.session_cookie_name, domain=settings.cookie_domain, secure=settings.secure),
        trusted_proxies=TrustedProxies(settings.trusted_proxies),
        recognition=recognition,
    )


def _profiles(settings: Settings) -> Profiles:
    return Profiles(
        upper_case_roles=settings.auth_api.role_case == "upper",
        force_password_change=settings.organization.force_password_change,
    )


def _return_urls(settings: Settings) -> ReturnUrls:
    return ReturnUrls.of(
        public_url=settings.public_url,
        cookie_domain=settings.cookie_domain,
        allowed_redirects=settings.allowed_redirects,
    )
