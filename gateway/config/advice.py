"""Warnings: settings that can be used, and that somebody will probably regret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.config.addresses import has_host_bits
from gateway.config.findings import Finding
from gateway.config.origins import Origins
from gateway.config.schema import KeyPath, dotted
from gateway.config.section import split_list
from gateway.config.settings import RuleSettings, Settings
from gateway.config.well_known_secrets import SHORTEST_SOUND_SECRET
from gateway.grammar.hosts import HostPattern, is_ip_host, is_local_host
from gateway.grammar.path_patterns import is_anchored


def advice(settings: Settings, *, written: Mapping[str, Any], origins: Origins) -> Iterator[Finding]:
    """Yield every warning; `written` holds the values before they were parsed."""
    remarks = (
        *_about_public_url(settings),
        *_about_proxies(settings, written),
        *_about_secrets(settings),
        *_about_switches(written),
        *_about_rules(settings),
    )
    for path, message in remarks:
        yield Finding(dotted(path), origins.at(path), message)


def _about_public_url(settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    if not settings.secure and not is_local_host(settings.public_host):
        yield ("public_url",), "is http: passwords and cookies can be read on the way, use https"
    if settings.redis_url is not None:
        yield ("redis_url",), "Redis is not used yet in this version; the setting changes nothing"


def _about_proxies(settings: Settings, written: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    networks = split_list(written.get("trusted_proxies", ()))
    for index, text in enumerate(networks if isinstance(networks, list) else ()):
        network = settings.trusted_proxies[index]
        if has_host_bits(str(text).strip()):
            yield ("trusted_proxies", index), f"{text} names a host inside its network: taken as {network}"
        if network.prefixlen == 0:
            yield ("trusted_proxies", index), f"{network} trusts everybody to say who asks for what: name your proxies"


def _about_secrets(settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    secret = settings.basic_auth.jwt_secret
    if secret is not None and len(secret.get_secret_value().encode()) < SHORTEST_SOUND_SECRET:
        message = (
            f"is shorter than {SHORTEST_SOUND_SECRET} bytes and may be guessed: make one with `openssl rand -base64 32`"
        )
        yield ("basic_auth", "jwt_secret"), message


def _about_switches(written: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    section = written.get("auth_api")
    value = section.get("allow_email_login", True) if isinstance(section, Mapping) else True
    if not isinstance(value, bool) and str(value).strip().lower() not in {"true", "false"}:
        yield ("auth_api", "allow_email_login"), "only `true` is true, so this is read as false: write true or false"


def _about_rules(settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    for index, rule in enumerate(settings.access_control.rules if settings.access_control else ()):
        path: KeyPath = ("access_control", "rules", index)
        yield from _about_patterns(rule, path)
        for number, pattern in enumerate(rule.domain):
            if rule.policy == "one_factor" and not _cookie_reaches(pattern, settings):
                yield (*path, "domain", number), _unreached(pattern, settings)


def _about_patterns(rule: RuleSettings, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    for number, pattern in enumerate(rule.resources):
        if rule.policy == "bypass" and not is_anchored(pattern):
            message = f"{pattern} opens every path that contains it: begin it, and each of its branches, with ^"
            yield (*path, "resources", number), message


def _cookie_reaches(pattern: HostPattern, settings: Settings) -> bool:
    if str(pattern) == settings.public_host:
        return True
    domain = settings.cookie_domain
    return domain is not None and (pattern.host == domain or pattern.host.endswith("." + domain))


def _unreached(pattern: HostPattern, settings: Settings) -> str:
    common = _common_domain(pattern.host, settings.public_host)
    if settings.cookie_domain is None and common:
        cure = f"set cookie_domain to {common}"
    elif settings.cookie_domain is None:
        cure = f"serve it and the gateway ({settings.public_host}) below one domain, and set cookie_domain to that"
    elif common:
        cure = f"cookie_domain is {settings.cookie_domain}; {common} would cover both"
    else:
        cure = f"give it a host below cookie_domain ({settings.cookie_domain})"
    return (
        f"people could log in for {pattern} but never be recognised there, since the cookie does not reach it: {cure}"
    )


def _common_domain(one: str, other: str) -> str | None:
    if is_ip_host(one) or is_ip_host(other):
        return None
    common: list[str] = []
    for left, right in zip(reversed(one.split(".")), reversed(other.split(".")), strict=False):
        if left != right:
            break
        common.insert(0, left)
    return ".".join(common) if len(common) > 1 else None
