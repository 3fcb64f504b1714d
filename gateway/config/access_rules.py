"""One rule of `access_control`, in Authelia's grammar and with what we add to it."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from gateway.config.lists import one_or_more
from gateway.config.query_conditions import QueryConditions
from gateway.config.rule_networks import Networks
from gateway.config.section import Section, TruthValue
from gateway.grammar.host_templates import HostTemplate, parse_domain
from gateway.grammar.hosts import HostPattern
from gateway.grammar.path_patterns import require_path_glob, require_path_pattern, require_pattern
from gateway.grammar.subjects import Subject, parse_subject

PolicyWord = Literal["bypass", "one_factor", "two_factor", "deny"]
CredentialWord = Literal["session", "jwt", "api_key", "basic"]

_METHOD = re.compile(r"[A-Z]+", re.ASCII)
_NAME = re.compile(r"[\w .:/-]{1,80}")


def _domain(written: object) -> object:
    return parse_domain(written.strip()) if isinstance(written, str) else written


def _pattern(written: object) -> object:
    return require_pattern(written) if isinstance(written, str) else written


def _path_pattern(written: object) -> object:
    return require_path_pattern(written) if isinstance(written, str) else written


def _path_glob(written: object) -> object:
    return require_path_glob(written) if isinstance(written, str) else written


def _subject(written: object) -> object:
    return parse_subject(written.strip()) if isinstance(written, str) else written


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
    if written not in ("bypass", "one_factor", "two_factor", "deny"):
        message = "must be bypass, one_factor, two_factor or deny"
        raise ValueError(message)
    return written


_Subjects = Annotated[tuple[Annotated[Subject, BeforeValidator(_subject)], ...], BeforeValidator(one_or_more)]


class RuleSettings(Section):
    """One rule: which requests it covers (every criterion that is given), and what it asks."""

    name: Annotated[str, BeforeValidator(_name)] | None = Field(default=None, examples=["health"])
    domain_regex: Annotated[tuple[Annotated[str, BeforeValidator(_pattern)], ...], BeforeValidator(one_or_more)] = (
        Field(default=(), examples=[r"['^(?P<User>\w+)\.example\.com$']"])
    )
    domain: Annotated[
        tuple[Annotated[HostPattern | HostTemplate, BeforeValidator(_domain)], ...], BeforeValidator(one_or_more)
    ] = Field(default=(), examples=['"*.example.com"'])
    resources: Annotated[tuple[Annotated[str, BeforeValidator(_path_pattern)], ...], BeforeValidator(one_or_more)] = (
        Field(default=(), examples=['["^/healthz$"]'])
    )
    path: Annotated[tuple[Annotated[str, BeforeValidator(_path_glob)], ...], BeforeValidator(one_or_more)] = Field(
        default=(), examples=['["/api/**"]']
    )
    ignore_case: TruthValue = Field(default=False, examples=["true"])
    methods: Annotated[tuple[Annotated[str, BeforeValidator(_method)], ...], BeforeValidator(one_or_more)] = Field(
        default=(), examples=["[GET, HEAD]"]
    )
    networks: Networks = Field(default=(), examples=["[10.0.0.0/8]"])
    subject: Annotated[tuple[_Subjects, ...], BeforeValidator(one_or_more)] = Field(
        default=(), examples=['["group:admins"]']
    )
    query: QueryConditions = Field(default=(), examples=["[{operator: present, key: token}]"])
    credentials: Annotated[tuple[CredentialWord, ...], BeforeValidator(one_or_more)] = Field(
        default=(), examples=["[session, jwt]"]
    )
    allow_preflight: TruthValue = Field(default=False, examples=["true"])
    policy: Annotated[PolicyWord, BeforeValidator(_policy)] = Field(examples=["one_factor"])

    @field_validator("ignore_case")
    @classmethod
    def _belong_to_globs(cls, ignore_case: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 - pydantic's signature
        if ignore_case and "path" in info.data and not info.data["path"]:
            message = "belongs to `path`; in `resources` begin the pattern with (?i)"
            raise ValueError(message)
        return ignore_case

    @model_validator(mode="after")
    def _fit(self) -> Self:
        if not self.domain and not self.domain_regex:
            message = "has neither domain nor domain_regex: a rule says which hosts it is about"
            raise ValueError(message)
        if self.allow_preflight and self.policy == "deny":
            message = "allow_preflight opens nothing in a rule that denies: give preflights a rule before it"
            raise ValueError(message)
        return self
