"""One rule: which original requests it covers, for whom, and what it requires. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address

from gateway.config.rule_networks import RuleNetwork
from gateway.forward_auth.patterns import Glob, Pattern
from gateway.forward_auth.presented import Credential, Presented
from gateway.forward_auth.query import Condition, QueryReading, query_fits, read_query
from gateway.forward_auth.visitor_names import fits_claims, is_subject
from gateway.grammar.claims import NO_CLAIM, Claim, label_as_written
from gateway.grammar.host_templates import HostTemplate
from gateway.grammar.hosts import HostPattern
from gateway.grammar.subjects import Subject
from gateway.models import CredentialKind, Principal


class Requirement(IntEnum):
    """What a rule asks of the principal, laxest first; up to `SECOND_FACTOR` it is the level that is wanted."""

    NOTHING = 0
    LOGIN = 1
    SECOND_FACTOR = 2
    NOBODY = 3


class Criterion(StrEnum):
    """What a rule may look at, by the key that says it."""

    DOMAIN = "domain"
    METHODS = "methods"
    RESOURCES = "resources"
    PATH = "path"
    NETWORKS = "networks"
    QUERY = "query"
    CREDENTIALS = "credentials"
    SUBJECT = "subject"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request goes, as far as that may be remembered: one reading of its path, no query."""

    host: str
    method: str
    path: str


# Without slots: it keeps what was read.
@dataclass(frozen=True)
class Asked:
    """The rest of what a request shows to rules."""

    presented: Presented
    query: str
    preflight: bool

    @cached_property
    def queries(self) -> tuple[QueryReading, ...]:
        """The readings of the query, made once a rule looks at them: few rules do, and it takes its time."""
        return read_query(self.query)


@dataclass(frozen=True, slots=True)
class Rule:
    """One statement. `kinds` are the credentials that it takes, `None` all of them."""

    name: str
    requirement: Requirement
    hosts: tuple[HostPattern | HostTemplate, ...]
    host_patterns: tuple[Pattern, ...] = ()
    methods: frozenset[str] = frozenset()
    resources: tuple[Pattern, ...] = ()
    globs: tuple[Glob, ...] = ()
    networks: tuple[RuleNetwork, ...] = ()
    subjects: tuple[tuple[Subject, ...], ...] = ()
    query: tuple[tuple[Condition, ...], ...] = ()
    kinds: frozenset[CredentialKind] | None = None
    allow_preflight: bool = False

    @property
    def opens(self) -> bool:
        """Whether it lets somebody pass: what is unknown must not help there, nor save from a rule that denies."""
        return self.requirement is not Requirement.NOBODY

    def locate(self, place: Place) -> Located:
        """Compare with the place: what of the rule does not fit it, and whose place it is where it does."""
        hosts = tuple(_host_claims(self, place.host))
        if not hosts:
            return Located(self, (Criterion.DOMAIN,), ())
        resources = tuple(_claims(self.resources, place.path))
        failed = tuple(_misfits(self, place, resources))
        claims = (claims for claims in (hosts, resources) if claims and NO_CLAIM not in claims)
        return Located(self, failed, tuple(claims))


@dataclass(frozen=True, slots=True)
class Located:
    """A rule at a place: what does not fit, and what the visitor has to be called (one claim of each group)."""

    rule: Rule
    failed: tuple[Criterion, ...]
    claims: tuple[tuple[Claim, ...], ...]

    @property
    def asks_who(self) -> bool:
        """Whether it depends on who somebody is."""
        return bool(self.rule.subjects or self.claims)

    @property
    def covers_everybody(self) -> bool:
        """Whether it covers whatever is asked here, whoever asks; but for preflights."""
        rule = self.rule
        return not (rule.networks or rule.query or rule.kinds is not None or self.asks_who)

    def credential(self, presented: Presented) -> Credential | None:
        """Give the credential that counts here; kinds that the rule does not take are not looked at."""
        return presented.credential(self.rule.kinds)

    def passes_preflight(self, asked: Asked) -> bool:
        """Whether this is a preflight that the rule lets pass; it cannot carry a credential."""
        return asked.preflight and self.rule.allow_preflight

    def is_certain(self, asked: Asked) -> bool:
        """Whether the query fits however an application reads it; if not, the rule may cover a request or not."""
        return not self.rule.query or query_fits(self.rule.query, asked.queries, surely=True)

    def misfits(self, asked: Asked) -> Iterator[Criterion]:
        """Yield each criterion that is evaluated on every check and does not hold."""
        rule = self.rule
        if rule.networks and not _is_from(asked.presented.client_address, rule):
            yield Criterion.NETWORKS
        if rule.query and not query_fits(rule.query, asked.queries, surely=False):
            yield Criterion.QUERY
        credential = self.credential(asked.presented)
        # A rule that opens takes only these kinds, and asks everybody else to log in; one that denies is about them.
        if rule.kinds is not None and not rule.opens and credential is None:
            yield Criterion.CREDENTIALS
        if self.asks_who and not self.passes_preflight(asked):
            principal = credential.principal if credential else None
            # Somebody unknown may be anybody: the rule covers them, to ask for a login.
            if principal is not None and not self._speaks_about(principal):
                yield Criterion.SUBJECT

    def _speaks_about(self, principal: Principal) -> bool:
        subjects = self.rule.subjects
        return (not subjects or is_subject(principal, subjects)) and all(
            fits_claims(principal, claims) for claims in self.claims
        )


def _misfits(rule: Rule, place: Place, resources: tuple[Claim, ...]) -> Iterator[Criterion]:
    if rule.methods and place.method not in rule.methods:
        yield Criterion.METHODS
    if rule.resources and not resources:
        yield Criterion.RESOURCES
    if rule.globs and not any(glob.covers(place.path) for glob in rule.globs):
        yield Criterion.PATH


def _host_claims(rule: Rule, host: str) -> Iterator[Claim]:
    for pattern in rule.hosts:
        if isinstance(pattern, HostTemplate):
            claim = pattern.claim(host)
            if claim is not None:
                yield claim
        elif pattern.covers(host):
            yield NO_CLAIM
    for claim in _claims(rule.host_patterns, host):
        yield Claim(*(name and label_as_written(name) for name in (claim.user, claim.group)))


def _claims(patterns: tuple[Pattern, ...], text: str) -> Iterator[Claim]:
    for pattern in patterns:
        match = pattern.search(text)
        if match is not None:
            # A group that took no part binds to nobody, and not to everybody.
            names = {name: match[name] or "" for name in ("User", "Group") if name in pattern.groupindex}
            yield Claim(names.get("User"), names.get("Group"))


def _is_from(address: IPv4Address | IPv6Address | None, rule: Rule) -> bool:
    if address is None:
        return not rule.opens
    return any(address in member for network in rule.networks for member in network.members)
