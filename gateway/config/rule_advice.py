"""Warnings about rules: they can be used, and do something else than somebody will have meant."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.config.schema import KeyPath
from gateway.config.settings import RuleSettings, Settings
from gateway.grammar.host_templates import HostTemplate
from gateway.grammar.hosts import HostPattern, is_ip_host
from gateway.grammar.path_patterns import is_anchored, is_anchored_at_both_ends

_RULES: KeyPath = ("access_control", "rules")
_NETWORKS: KeyPath = ("access_control", "networks")

_Domain = HostPattern | HostTemplate


def rule_advice(settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    """Yield every warning about `access_control`, with the key that it is about."""
    if settings.access_control is None:
        return
    for name, networks in settings.access_control.networks.items():
        for number, network in enumerate(networks):
            if network.has_host_bits:
                yield (*_NETWORKS, name, number), _host_bits(network.written, network.members[0])
    rules = settings.access_control.rules
    for index, rule in enumerate(rules):
        path: KeyPath = (*_RULES, index)
        if rule.policy != "deny":
            yield from _about_patterns(rule, path)
        yield from _about_networks(rule, path)
        yield from _about_preflights(rule, path)
        yield from _about_reach(rule, rules[:index], path)
        yield from _about_cookies(rule, settings, path)


def lets_every_account_in(settings: Settings) -> bool:
    """Say whether a login is all that is asked for, at least below a whole domain; people enrol factors themselves."""
    control = settings.access_control
    if control is None or control.default_policy != "deny":
        return True
    return any(
        rule.policy in {"one_factor", "two_factor"}
        and _is_plain(rule)
        and any(isinstance(domain, HostPattern) and domain.covers_below for domain in rule.domain)
        for rule in control.rules
    )


def _about_patterns(rule: RuleSettings, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    for number, pattern in enumerate(rule.resources):
        if not is_anchored(pattern):
            message = f"{pattern} opens every path that contains it: begin it, and each of its branches, with ^"
            yield (*path, "resources", number), message
    for number, pattern in enumerate(rule.domain_regex):
        if not is_anchored_at_both_ends(pattern):
            message = f"{pattern} opens every host that contains it: put each of its branches between ^ and $"
            yield (*path, "domain_regex", number), message


def _about_networks(rule: RuleSettings, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    for number, network in enumerate(rule.networks):
        if network.has_host_bits:
            yield (*path, "networks", number), _host_bits(network.written, network.members[0])


def _host_bits(written: str, network: object) -> str:
    return f"{written} names a host inside its network: taken as {network}"


def _about_preflights(rule: RuleSettings, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    if rule.allow_preflight and rule.methods and "OPTIONS" not in rule.methods:
        message = "lets no preflight pass, since the rule does not cover OPTIONS: add it to methods"
        yield (*path, "allow_preflight"), message


def _about_reach(rule: RuleSettings, before: tuple[RuleSettings, ...], path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    if rule.domain_regex:
        return  # which hosts a pattern covers cannot be told
    wider = [
        next((other for other in enumerate(before, start=1) if _decides_all(other[1], host)), None)
        for host in rule.domain
    ]
    if None not in wider:
        names = dict.fromkeys(other[1].name or f"rule {other[0]}" for other in wider if other)
        yield path, f"is never reached: {' and '.join(names)} before it decides everything for its hosts"


def _decides_all(rule: RuleSettings, domain: _Domain) -> bool:
    return _is_plain(rule) and any(_includes(own, domain) for own in rule.domain)


def _is_plain(rule: RuleSettings) -> bool:
    """Tell whether a rule has no criterion but its hosts; `credentials` is one only in a rule that denies."""
    narrowed = rule.resources or rule.path or rule.methods or rule.networks or rule.subject or rule.query
    return not narrowed and not (rule.credentials and rule.policy == "deny")


def _includes(wider: _Domain, domain: _Domain) -> bool:
    if wider == domain:
        return isinstance(wider, HostPattern)
    if not isinstance(wider, HostPattern) or not wider.covers_below:
        return False
    below_itself = isinstance(domain, HostTemplate) or domain.covers_below
    return domain.host.endswith("." + wider.host) or (below_itself and domain.host == wider.host)


def _about_cookies(rule: RuleSettings, settings: Settings, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    takes_sessions = not rule.credentials or "session" in rule.credentials
    wants_login = rule.policy in {"one_factor", "two_factor"} and takes_sessions
    for number, domain in enumerate(rule.domain if wants_login else ()):
        if not _cookie_reaches(domain, settings):
            yield (*path, "domain", number), _unreached(domain, settings)


def _cookie_reaches(domain: _Domain, settings: Settings) -> bool:
    if str(domain) == settings.public_host:
        return True
    shared = settings.cookie_domain
    return shared is not None and (domain.host == shared or domain.host.endswith("." + shared))


def _unreached(domain: _Domain, settings: Settings) -> str:
    common = _common_domain(domain.host, settings.public_host)
    if settings.cookie_domain is None and common:
        cure = f"set cookie_domain to {common}"
    elif settings.cookie_domain is None:
        cure = f"serve it and the gateway ({settings.public_host}) below one domain, and set cookie_domain to that"
    elif common:
        cure = f"cookie_domain is {settings.cookie_domain}; {common} would cover both"
    else:
        cure = f"give it a host below cookie_domain ({settings.cookie_domain})"
    return f"people could log in for {domain} but never be recognised there, since the cookie does not reach it: {cure}"


def _common_domain(one: str, other: str) -> str | None:
    if is_ip_host(one) or is_ip_host(other):
        return None
    common: list[str] = []
    for left, right in zip(reversed(one.split(".")), reversed(other.split(".")), strict=False):
        if left != right:
            break
        common.insert(0, left)
    return ".".join(common) if len(common) > 1 else None
