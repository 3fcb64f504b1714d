"""The collaborators: every part that handlers share is made here, once, by constructor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.api_keys import ApiKeys
from gateway.challenges import Challenges
from gateway.client_address import TrustedProxies
from gateway.credentials.access_tokens import AccessTokens
from gateway.credentials.known_devices import KnownDevices
from gateway.credentials.password_rules import PasswordRules
from gateway.credentials.passwords import PasswordHashing, hashing_threads
from gateway.credentials.sealed_box import SealedBox
from gateway.facts.cache import FactsCache
from gateway.mail.letters import Letterhead, Letters
from gateway.mail.outbox import Outbox
from gateway.mail.sender import MailSender
from gateway.mail.transports import make_transport
from gateway.models import AuthMode
from gateway.password_proof import PasswordProof
from gateway.recognition.default_user import DefaultUser
from gateway.recognition.facts_of import FactsOf
from gateway.recognition.recognition import Recognition
from gateway.refresh_tokens import RefreshTokens
from gateway.revocation import Revocation
from gateway.sessions import SessionLifetimes, Sessions
from gateway.throttle.bans import AddressBans
from gateway.throttle.logins import LoginThrottle
from gateway.web.cookies import SessionCookie
from gateway.web.known_device import KnownDeviceCookie
from gateway.web.login_answers import LoginAnswers
from gateway.web.pages import Pages
from gateway.web.portal import Portal
from gateway.web.profile import Profiles
from gateway.web.refresh_cookie import RefreshCookie
from gateway.web.return_urls import ReturnUrls
from gateway.wiring.doorbell import make_doorbell, ring_both
from gateway.wiring.keys import key_formats
from gateway.wiring.limits import make_address_limits
from gateway.wiring.passwords import password_rules

if TYPE_CHECKING:
    from gateway.config.secrets import Secrets
    from gateway.config.settings import Settings
    from gateway.doorbell.doorbell import Doorbell
    from gateway.storage.database import Database


@dataclass(frozen=True, slots=True)
class Parts:
    """The collaborators, each made once; handlers are given those that they call."""

    database: Database
    passwords: PasswordHashing
    password_rules: PasswordRules
    outbox: Outbox
    mail_sender: MailSender | None
    throttle: LoginThrottle
    facts: FactsCache
    doorbell: Doorbell | None
    sessions: Sessions
    challenges: Challenges
    refresh_tokens: RefreshTokens
    access_tokens: AccessTokens
    api_keys: ApiKeys
    recognition: Recognition
    revocation: Revocation
    proof: PasswordProof
    portal: Portal
    profiles: Profiles
    answers: LoginAnswers
    return_urls: ReturnUrls


def make_parts(settings: Settings, secrets: Secrets, database: Database) -> Parts:
    doorbell = make_doorbell(settings)
    facts = _facts(settings, database, doorbell)
    sessions = Sessions(database, token_key=secrets.derive("session token"), lifetimes=_lifetimes(settings))
    access_tokens = _access_tokens(settings, secrets)
    api_keys = ApiKeys(database, formats=key_formats(settings), digest_key=secrets.api_key_salt)
    outbox = Outbox(box=SealedBox(secrets.derive_lasting("outbox")), enabled=settings.mail.transport != "none")
    proof = _proof(settings, secrets, database, ring_both(facts, doorbell))
    recognition = Recognition(
        facts=facts,
        sessions=sessions,
        access_tokens=access_tokens,
        api_keys=api_keys,
        proof=proof,
        facts_of=_facts_of(settings),
    )
    portal = _portal(settings, secrets, recognition, default_user=_default_user(settings, database, facts))
    profiles = _profiles(settings)
    return Parts(
        database=database,
        passwords=proof.passwords,
        password_rules=password_rules(settings),
        outbox=outbox,
        mail_sender=_mail_sender(settings, database, outbox),
        throttle=proof.throttle,
        facts=facts,
        doorbell=doorbell,
        sessions=sessions,
        challenges=Challenges(token_key=secrets.derive("challenge")),
        refresh_tokens=_refresh_tokens(settings, secrets),
        access_tokens=access_tokens,
        api_keys=api_keys,
        recognition=recognition,
        revocation=Revocation(database, doorbell=ring_both(facts, doorbell), outbox=outbox),
        proof=proof,
        portal=portal,
        profiles=profiles,
        answers=_answers(portal, access_tokens, profiles),
        return_urls=_return_urls(settings),
    )


def _facts(settings: Settings, database: Database, doorbell: Doorbell | None) -> FactsCache:
    return FactsCache(
        database,
        max_entries=settings.facts.max_entries,
        max_age=settings.facts.max_age,
        outage_grace=settings.outage_grace,
        doorbell_connected=lambda: doorbell is not None and doorbell.connected,
    )


def _facts_of(settings: Settings) -> FactsOf:
    return FactsOf(
        api_key_level=1 if settings.api_keys_satisfy == "one_factor" else 2,
        force_password_change=settings.organization.force_password_change,
    )


def _proof(settings: Settings, secrets: Secrets, database: Database, ring: Callable[[str], None]) -> PasswordProof:
    bans = AddressBans(database, doorbell=ring)
    return PasswordProof(
        database,
        throttle=LoginThrottle(key=secrets.derive("login failures"), addresses=make_address_limits(settings, bans)),
        passwords=PasswordHashing(threads=hashing_threads(processes=settings.workers)),
        unverified_email_allowed=settings.auth_api.allow_unverified_email_login,
    )


def _access_tokens(settings: Settings, secrets: Secrets) -> AccessTokens:
    return AccessTokens(
        key=secrets.derive("access token"), issuer=settings.public_url, lifetime=settings.auth_api.session_expiry
    )


def _answers(portal: Portal, access_tokens: AccessTokens, profiles: Profiles) -> LoginAnswers:
    return LoginAnswers(
        cookie=portal.cookie,
        refresh_cookie=RefreshCookie(secure=portal.cookie.secure),
        device_cookie=portal.device_cookie,
        access_tokens=access_tokens,
        profiles=profiles,
    )


def _mail_sender(settings: Settings, database: Database, outbox: Outbox) -> MailSender | None:
    transport = make_transport(settings)
    if transport is None:
        return None
    letters = Letters(Letterhead.of(settings))
    return MailSender(database, outbox=outbox, letters=letters, transport=transport)


def _refresh_tokens(settings: Settings, secrets: Secrets) -> RefreshTokens:
    return RefreshTokens(key=secrets.derive("refresh token"), lifetime=settings.auth_api.refresh_token_expiry)


def _lifetimes(settings: Settings) -> SessionLifetimes:
    return SessionLifetimes(
        idle_timeout=settings.session.idle_timeout,
        lifetime=settings.session.lifetime,
        remember_me_lifetime=settings.session.remember_me_lifetime,
    )


def _default_user(settings: Settings, database: Database, facts: FactsCache) -> DefaultUser | None:
    without_logins = settings.auth_mode is AuthMode.NONE
    return DefaultUser(database, facts=facts, facts_of=_facts_of(settings)) if without_logins else None


def _portal(
    settings: Settings, secrets: Secrets, recognition: Recognition, *, default_user: DefaultUser | None
) -> Portal:
    return Portal(
        public_url=settings.public_url,
        pages=Pages(settings.site_name),
        cookie=SessionCookie(name=settings.session_cookie_name, domain=settings.cookie_domain, secure=settings.secure),
        trusted_proxies=TrustedProxies(settings.trusted_proxies),
        recognition=recognition,
        device_cookie=KnownDeviceCookie(KnownDevices(key=secrets.derive("known device")), secure=settings.secure),
        default_user=default_user,
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
