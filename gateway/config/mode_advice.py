"""Warnings about the mode: an installation without logins, and what changes nothing there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gateway.grammar.hosts import is_local_host
from gateway.models import AuthMode

if TYPE_CHECKING:
    from gateway.config.schema import KeyPath
    from gateway.config.settings import Settings

OPEN_TO_THE_NETWORK = (
    "EVERYBODY who reaches this address is the Organization Admin, for AUTH_TYPE=none asks nobody for a login: listen "
    "on 127.0.0.1 only, or let people log in with AUTH_TYPE=mixed"
)
_NO_LOGIN = "changes nothing while auth_type is none, for nobody logs in"
_SWITCHES = ("allow_registration", "allow_password_reset", "allow_unverified_email_login")
_PASSED_OVER = (
    ("basic_auth", "initial_org_admin_email"),
    ("oauth", "client_id"),
    ("oauth", "client_secret"),
    ("oauth", "issuer_url"),
)


def mode_advice(settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    """Yield every warning about the mode, with the key that it is about."""
    match settings.auth_mode:
        case AuthMode.NONE:
            yield from _about_none(settings)
        case AuthMode.OAUTH:
            yield ("auth_type",), "login by OAuth comes with a later version: this gateway does not start with it"
        case AuthMode.BASIC:
            return


def is_open_to_the_network(settings: Settings) -> bool:
    """Say whether others than this machine reach a gateway that asks nobody for a login."""
    return settings.auth_mode is AuthMode.NONE and not is_local_host(settings.listen.host)


def _about_none(settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    if is_open_to_the_network(settings):
        yield ("listen",), OPEN_TO_THE_NETWORK
    for name in _SWITCHES:
        if getattr(settings.auth_api, name):
            yield ("auth_api", name), _NO_LOGIN
    if settings.basic_credentials:
        yield ("basic_credentials",), _NO_LOGIN
    for section, name in _PASSED_OVER:
        if getattr(getattr(settings, section), name) is not None:
            yield (section, name), _NO_LOGIN
