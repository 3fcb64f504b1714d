"""Warnings: settings that can be used, and that somebody will probably regret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from pydantic import SecretStr

from gateway.config.addresses import has_host_bits
from gateway.config.findings import Finding
from gateway.config.mode_advice import mode_advice
from gateway.config.origins import Origins
from gateway.config.rule_advice import lets_every_account_in, rule_advice
from gateway.config.schema import KeyPath, dotted
from gateway.config.section import split_list
from gateway.config.settings import Settings
from gateway.config.well_known_secrets import SHORTEST_SOUND_SECRET
from gateway.grammar.hosts import is_local_host
from gateway.models import AuthMode

_SWITCHES = (
    "allow_email_login",
    "allow_registration",
    "allow_unverified_email_login",
    "allow_password_reset",
    "require_confirm_password",
    "ban_violations",
)


def advice(settings: Settings, *, written: Mapping[str, Any], origins: Origins) -> Iterator[Finding]:
    """Yield every warning; `written` holds the values before they were parsed."""
    remarks = (
        *mode_advice(settings),
        *_about_public_url(settings),
        *_about_proxies(settings, written),
        *_about_secrets(settings),
        *_about_switches(written),
        *_about_registration(settings),
        *_about_mail(settings),
        *_about_audit(settings),
        *rule_advice(settings),
    )
    for path, message in remarks:
        yield Finding(dotted(path), origins.at(path), message)


def _about_public_url(settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    if not settings.secure and not is_local_host(settings.public_host):
        yield ("public_url",), "is http: passwords and cookies can be read on the way, use https"


def _about_proxies(settings: Settings, written: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    networks = split_list(written.get("trusted_proxies", ()))
    for index, text in enumerate(networks if isinstance(networks, list) else ()):
        network = settings.trusted_proxies[index]
        if has_host_bits(str(text).strip()):
            yield ("trusted_proxies", index), f"{text} names a host inside its network: taken as {network}"
        if network.prefixlen == 0:
            yield ("trusted_proxies", index), f"{network} trusts everybody to say who asks for what: name your proxies"


def _about_secrets(settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    secrets: dict[KeyPath, SecretStr | None] = {
        ("basic_auth", "jwt_secret"): settings.basic_auth.jwt_secret,
        ("api_key_salt",): settings.api_key_salt,
        ("encryption_key",): settings.encryption_key,
    }
    message = (
        f"is shorter than {SHORTEST_SOUND_SECRET} bytes and may be guessed: make one with `openssl rand -base64 32`"
    )
    for path, secret in secrets.items():
        if secret is not None and len(secret.get_secret_value().encode()) < SHORTEST_SOUND_SECRET:
            yield path, message


def _about_mail(settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    mail, api = settings.mail, settings.auth_api
    if mail.host is not None and mail.transport != "smtp":
        yield ("mail", "host"), f"no mail is sent there while mail.transport is {mail.transport}: set it to smtp"
    if mail.security == "none" and mail.password is not None and not is_local_host(mail.host or "localhost"):
        yield ("mail", "security"), "is none: the password can be read on its way to the server, use starttls or tls"
    if api.allow_password_reset and mail.transport == "none" and settings.auth_mode is AuthMode.BASIC:
        message = "nobody gets a link to reset a password, for mail.transport is none: set it to smtp"
        yield ("auth_api", "allow_password_reset"), message
    if not settings.registration_allowed or api.allow_unverified_email_login:
        return
    if mail.transport == "none":
        message = (
            "nobody who registers can ever log in, for without mail nobody can verify an address: set mail.transport, "
            "or allow_unverified_email_login"
        )
        yield ("auth_api", "allow_registration"), message
    elif mail.transport == "file" and not is_local_host(settings.public_host):
        message = (
            "whoever registers gets no mail, for mail.transport is file: the link to log in with lies in the folder "
            "outbox of data_dir. Set mail.transport to smtp"
        )
        yield ("auth_api", "allow_registration"), message


def _about_audit(settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    if settings.audit.retention < timedelta(days=1):
        yield ("audit", "retention"), "keeps events for less than a day; a bare number counts seconds: write 365d"


def _about_registration(settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    if not settings.registration_allowed or settings.auth_api.allowed_email_domains:
        return
    if lets_every_account_in(settings):
        message = (
            "is on, and the rules let every account in: whoever registers gets in. Give the rules subjects, or list "
            "auth_api.allowed_email_domains"
        )
        yield ("auth_api", "allow_registration"), message


def _about_switches(written: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    section = written.get("auth_api")
    if not isinstance(section, Mapping):
        return
    for name in _SWITCHES:
        value = section.get(name, True)
        if value not in (None, "") and str(value).strip().lower() not in {"true", "false"}:
            yield ("auth_api", name), "only `true` is true, so this is read as false: write true or false"
