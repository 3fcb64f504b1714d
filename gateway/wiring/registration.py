"""Registration, verification and reset: their own collaborators, and the handlers over them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.handlers import RegistrationHandlers
from gateway.registration.api_handlers import RegistrationApi
from gateway.registration.chosen_password import PasswordChoice
from gateway.registration.handlers import RegistrationForm, RegistrationPages
from gateway.registration.mailed_links import MailedLinks
from gateway.registration.password_reset import PasswordReset
from gateway.registration.registration import Admission, Registration
from gateway.registration.reset_handlers import PasswordResetPages
from gateway.registration.verification import Verification

if TYPE_CHECKING:
    from gateway.config.secrets import Secrets
    from gateway.config.settings import Settings
    from gateway.wiring.parts import Parts


def make_registration(settings: Settings, secrets: Secrets, parts: Parts) -> RegistrationHandlers:
    choice = PasswordChoice(parts.password_rules, parts.passwords, settings.auth_api.require_confirm_password)
    addresses, portal = parts.throttle.addresses, parts.portal
    links = MailedLinks(
        parts.outbox, secrets.derive("one-time token"), settings.public_url, settings.password_reset_allowed
    )
    admission = Admission(
        open=settings.registration_allowed,
        email_domains=settings.auth_api.allowed_email_domains,
        verified_at_once=not parts.outbox.enabled and settings.auth_api.allow_unverified_email_login,
    )
    registration = Registration(parts.database, admission=admission, choice=choice, links=links)
    verification = Verification(parts.database, links=links, revocation=parts.revocation)
    password_reset = PasswordReset(
        parts.database,
        allowed=settings.password_reset_allowed,
        choice=choice,
        links=links,
        revocation=parts.revocation,
    )
    form = RegistrationForm(choice.rules, admission.email_domains, choice.confirmation_required)
    return RegistrationHandlers(
        RegistrationApi(portal, addresses, registration, verification, password_reset),
        RegistrationPages(portal, addresses, registration, verification, form, mail_enabled=parts.outbox.enabled),
        PasswordResetPages(portal, addresses, password_reset, choice.rules, choice.confirmation_required),
    )
