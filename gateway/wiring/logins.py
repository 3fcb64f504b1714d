"""Logins and the second factor: their own collaborators, and the handlers over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.account.second_factor import SecondFactorChange
from gateway.account.second_factor_api_handlers import SecondFactorApi
from gateway.account.second_factor_enrolment import SecondFactorEnrolment
from gateway.account.second_factor_owner import RecoveryCodeSets
from gateway.account.second_factor_page_handlers import SecondFactorAccountPages
from gateway.challenges import CHALLENGE_LIFETIME
from gateway.code_proof import CodeProof
from gateway.credentials.sealed_box import SealedBox
from gateway.credentials.temp_tokens import TempTokens
from gateway.credentials.totp import TotpSecrets
from gateway.handlers import SecondFactorHandlers
from gateway.login.api_handlers import LoginApi
from gateway.login.config_handlers import PublicConfig
from gateway.login.handlers import LoginPages
from gateway.login.opening import LoginOpening
from gateway.login.password_login import PasswordLogin
from gateway.login.refresh import Refreshing
from gateway.login.refresh_handlers import PresentedSessions, RefreshApi
from gateway.login.second_factor_api_handlers import HalfFinishedLogins, SecondFactorLoginApi
from gateway.login.second_factor_handlers import SecondFactorPages
from gateway.login.second_factor_login import SecondFactorLogin
from gateway.login.v1_handlers import V1Login
from gateway.second_factors import SecondFactors
from gateway.web.challenge_cookie import ChallengeCookie

if TYPE_CHECKING:
    from gateway.config.secrets import Secrets
    from gateway.config.settings import Settings
    from gateway.wiring.parts import Parts


@dataclass(frozen=True, slots=True)
class LoginHandlers:
    """Everything that answers about logging in and staying logged in."""

    pages: LoginPages
    api: LoginApi
    v1: V1Login
    refresh_api: RefreshApi
    public_config: PublicConfig
    second_factor: SecondFactorHandlers


@dataclass(frozen=True, slots=True)
class _Shared:
    """What both steps of a login need: `half_finished` and `cookie` are how programs and browsers hold one."""

    opening: LoginOpening
    presented: PresentedSessions
    half_finished: HalfFinishedLogins
    cookie: ChallengeCookie


def make_logins(settings: Settings, secrets: Secrets, parts: Parts) -> LoginHandlers:
    refreshing = _make_refreshing(settings, parts)
    shared = _Shared(
        opening=_make_opening(parts),
        presented=PresentedSessions(parts.portal, refreshing, parts.answers),
        half_finished=HalfFinishedLogins(TempTokens(key=secrets.derive("temp token"), issuer=parts.portal.public_url)),
        cookie=ChallengeCookie(parts.portal.cookie.secure, CHALLENGE_LIFETIME),
    )
    login = PasswordLogin(proof=parts.proof, opening=shared.opening, challenges=parts.challenges)
    return LoginHandlers(
        pages=LoginPages(
            portal=parts.portal,
            login=login,
            revocation=parts.revocation,
            return_urls=parts.return_urls,
            answers=parts.answers,
            challenge_cookie=shared.cookie,
            email_login_allowed=settings.email_login_allowed,
            registration_allowed=settings.registration_allowed,
            password_reset_allowed=settings.password_reset_allowed,
        ),
        api=LoginApi(
            portal=parts.portal,
            login=login,
            revocation=parts.revocation,
            presented=shared.presented,
            half_finished=shared.half_finished,
            answers=parts.answers,
            email_login_allowed=settings.email_login_allowed,
        ),
        v1=V1Login(parts.portal, login, parts.answers, settings.email_login_allowed),
        refresh_api=RefreshApi(parts.portal, refreshing, parts.answers),
        public_config=_make_public_config(settings),
        second_factor=_make_second_factor(secrets, parts, shared),
    )


def _make_public_config(settings: Settings) -> PublicConfig:
    return PublicConfig(
        app_title=settings.site_name,
        server_domain=settings.public_url,
        email_login_enabled=settings.email_login_allowed,
        registration_enabled=settings.registration_allowed,
        password_reset_enabled=settings.password_reset_allowed,
        email_enabled=settings.mail.transport != "none",
        min_password_length=settings.auth_api.min_password_length,
    )


def _make_opening(parts: Parts) -> LoginOpening:
    return LoginOpening(
        sessions=parts.sessions,
        refresh_tokens=parts.refresh_tokens,
        devices=parts.portal.device_cookie.devices,
        outbox=parts.outbox,
    )


def _make_refreshing(settings: Settings, parts: Parts) -> Refreshing:
    return Refreshing(
        parts.database,
        refresh_tokens=parts.refresh_tokens,
        sessions=parts.sessions,
        revocation=parts.revocation,
        force_password_change=settings.organization.force_password_change,
    )


def _make_second_factor(secrets: Secrets, parts: Parts, shared: _Shared) -> SecondFactorHandlers:
    totp_secrets = TotpSecrets(SealedBox(secrets.derive_lasting("second factor")))
    factors = SecondFactors(parts.database, passwords=parts.passwords, secrets=totp_secrets)
    proof = CodeProof(
        parts.database,
        revocation=parts.revocation,
        throttle=parts.throttle,
        challenges=parts.challenges,
        factors=factors,
    )
    login = SecondFactorLogin(parts.database, challenges=parts.challenges, proof=proof, opening=shared.opening)
    pages, api = _make_own_factor(parts, proof, factors, totp_secrets)
    return SecondFactorHandlers(
        login_pages=SecondFactorPages(
            portal=parts.portal,
            login=login,
            challenge_cookie=shared.cookie,
            revocation=parts.revocation,
            return_urls=parts.return_urls,
            answers=parts.answers,
        ),
        login_api=SecondFactorLoginApi(
            portal=parts.portal,
            half_finished=shared.half_finished,
            login=login,
            presented=shared.presented,
            revocation=parts.revocation,
            answers=parts.answers,
        ),
        pages=pages,
        api=api,
    )


def _make_own_factor(
    parts: Parts, proof: CodeProof, factors: SecondFactors, totp_secrets: TotpSecrets
) -> tuple[SecondFactorAccountPages, SecondFactorApi]:
    code_sets = RecoveryCodeSets(parts.passwords)
    enrolment = SecondFactorEnrolment(
        parts.database,
        proof=proof,
        factors=factors,
        code_sets=code_sets,
        secrets=totp_secrets,
        sessions=parts.sessions,
        refresh_tokens=parts.refresh_tokens,
        revocation=parts.revocation,
    )
    change = SecondFactorChange(
        parts.database, proof=proof, code_sets=code_sets, sessions=parts.sessions, revocation=parts.revocation
    )
    pages = SecondFactorAccountPages(
        portal=parts.portal,
        enrolment=enrolment,
        change=change,
        revocation=parts.revocation,
        return_urls=parts.return_urls,
        answers=parts.answers,
    )
    return pages, SecondFactorApi(portal=parts.portal, enrolment=enrolment, change=change, answers=parts.answers)
