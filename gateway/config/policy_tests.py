"""What the rules are expected to say: `access_control.tests`."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from gateway.config.access_rules import CredentialWord
from gateway.config.lists import one_or_more
from gateway.config.section import Section, Whole
from gateway.grammar.subjects import Subject, SubjectKind, parse_visitor, require_one_visitor

_ASK = re.compile(r"[A-Z]+ \S+", re.ASCII)

# What becomes of the request, or the policy that decides.
Expectation = Literal["allow", "deny", "login", "second_factor", "bypass", "one_factor", "two_factor"]


def _ask(written: object) -> object:
    if not isinstance(written, str) or not _ASK.fullmatch(written.strip()):
        message = "write a method in capitals, a blank and a URL"
        raise ValueError(message)
    return written.strip()


def _visitor(written: object) -> object:
    return parse_visitor(written) if isinstance(written, str) else written


def _address(written: object) -> object:
    try:
        address = ip_address(written) if isinstance(written, str) else written
    except ValueError:
        message = "must be an address, such as 203.0.113.9"
        raise ValueError(message) from None
    return getattr(address, "ipv4_mapped", None) or address


class PolicyTest(Section):
    """One request of one visitor (nobody unless `as` says who), and what is to become of it."""

    ask: Annotated[str, BeforeValidator(_ask)] = Field(examples=['"GET https://app.example.com/"'])
    visitor: Annotated[tuple[Annotated[Subject, BeforeValidator(_visitor)], ...], BeforeValidator(one_or_more)] = Field(
        default=(), alias="as", examples=['"group:users"']
    )
    factors: Whole = Field(default=1, ge=1, le=2, examples=["2"])
    client_address: Annotated[IPv4Address | IPv6Address, BeforeValidator(_address)] | None = Field(
        default=None, alias="from", examples=["203.0.113.9"]
    )
    credential: CredentialWord | None = Field(default=None, examples=["session"])
    expect: Expectation = Field(examples=["deny"])

    @model_validator(mode="after")
    def _name_one_visitor(self) -> Self:
        try:
            require_one_visitor(self.visitor)
        except ValueError as error:
            message = f"as: {error}"
            raise ValueError(message) from None
        if not self.visitor and {"factors", "credential"} & self.model_fields_set:
            message = "factors and credential belong to somebody: say who with `as`"
            raise ValueError(message)
        is_service = any(subject.kind is SubjectKind.SERVICE for subject in self.visitor)
        if is_service and self.credential not in {None, "api_key"}:
            message = "credential: a service account has keys only: write api_key, or leave it out"
            raise ValueError(message)
        return self
