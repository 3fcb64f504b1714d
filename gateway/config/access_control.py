"""The `access_control` section: Authelia's grammar, as far as this version reads it."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from gateway.config.section import Section
from gateway.grammar.hosts import HostPattern, parse_host_pattern
from gateway.grammar.path_patterns import require_path_glob, require_path_pattern

_METHOD = re.compile(r"[A-Z]+", re.ASCII)
_NAME = re.compile(r"[\w .:/-]{1,80}")
_TWO_FACTOR = "not yet: second factors come with a later version; write one_factor or deny"


def _one_or_more(written: object) -> object:
    """Let one text stand for a list of one, and refuse a list of none: it would widen the rule to everything."""
    if isinstance(written, str):
        return (written,)
    if written is None or (isinstance(written, list | tuple) and not written):
        message = "is empty: name something, or leave the key out"
        raise ValueError(message)
    return written


def _host_pattern(written: object) -> object:
    return parse_host_pattern(written.strip()) if isinstance(written, str) else written


def _path_pattern(written: object) -> object:
    return require_path_pattern(written) if isinstance(written, str) else written


def _path_glob(written: object) -> object:
    return require_path_glob(written) if isinstance(written, str) else written


def _method(written: object) -> object:
    if isinstance(written, str) and not _METHOD.fullmatch(written):
        message = "a method is written in capitals, such as GET"
        raise ValueError(message)
    return written


def _name(written: object) -> object:
    if isinstance(written, str) and not _NAME.fullmatch(written):
        message = "a name has at most 80 letters, digits, blanks and . : / - _, so that logs stay readable"
        raise ValueError(message)
    return written


def _policy(written: object) -> object:
    if written == "two_factor":
        raise ValueError(_TWO_FACTOR)
    if written not in ("bypass", "one_factor", "deny"):
        message = "must be bypass, one_factor or deny"
        raise ValueError(message)
    return written


def _default_policy(written: object) -> object:
    if written == "two_factor":
        raise ValueError(_TWO_FACTOR)
    if written == "bypass":
        message = "bypass would open every application to everybody: write rules with bypass for what is public"
        raise ValueError(message)
    if written not in ("deny", "one_factor"):
        message = "must be deny or one_factor"
        raise ValueError(message)
    return written


class RuleSettings(Section):
    """One rule: which requests it covers (every criterion that is given), and what it asks."""

    keys_of_later_versions: ClassVar[frozenset[str]] = frozenset(
        {"subject", "networks", "query", "credentials", "allow_preflight", "domain_regex", "ignore_case"}
    )

    name: Annotated[str, BeforeValidator(_name)] | None = Field(default=None, examples=["health"])
    domain: Annotated[
        tuple[Annotated[HostPattern, BeforeValidator(_host_pattern)], ...], BeforeValidator(_one_or_more)
    ] = Field(examples=['"*.example.com"'])
    resources: Annotated[tuple[Annotated[str, BeforeValidator(_path_pattern)], ...], BeforeValidator(_one_or_more)] = (
        Field(default=(), examples=['["^/healthz$"]'])
    )
    path: Annotated[tuple[Annotated[str, BeforeValidator(_path_glob)], ...], BeforeValidator(_one_or_more)] = Field(
        default=(), examples=['["/api/**"]']
    )
    methods: Annotated[tuple[Annotated[str, BeforeValidator(_method)], ...], BeforeValidator(_one_or_more)] = Field(
        default=(), examples=["[GET, HEAD]"]
    )
    policy: Annotated[Literal["bypass", "one_factor", "deny"], BeforeValidator(_policy)] = Field(
        examples=["one_factor"]
    )


class AccessControl(Section):
    """All rules in order; the first that covers a request decides, `default_policy` where none does."""

    keys_of_later_versions: ClassVar[frozenset[str]] = frozenset({"networks", "definitions", "tests"})

    # A section that says nothing denies everything: a rule list that was emptied must not open the door.
    default_policy: Annotated[Literal["deny", "one_factor"], BeforeValidator(_default_policy)] = Field(
        default="deny", examples=["deny"]
    )
    rules: tuple[RuleSettings, ...] = Field(default=(), examples=["[{domain: app.example.com, policy: one_factor}]"])
