"""The `access_control` section: Authelia's grammar, and what we add to it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from gateway.config.access_rules import RuleSettings
from gateway.config.policy_tests import PolicyTest
from gateway.config.rule_networks import NetworkDefinitions, resolve_names
from gateway.config.section import Section

__all__ = ["AccessControl", "RuleSettings"]


def _default_policy(written: object) -> object:
    if written == "bypass":
        message = "bypass would open every application to everybody: write rules with bypass for what is public"
        raise ValueError(message)
    if written not in ("deny", "one_factor", "two_factor"):
        message = "must be deny, one_factor or two_factor"
        raise ValueError(message)
    return written


class AccessControl(Section):
    """All rules in order; the first that covers a request decides, `default_policy` where none does."""

    # A section that says nothing denies everything: a rule list that was emptied must not open the door.
    default_policy: Annotated[Literal["deny", "one_factor", "two_factor"], BeforeValidator(_default_policy)] = Field(
        default="deny", examples=["deny"]
    )
    networks: NetworkDefinitions = Field(default={}, examples=["{office: [203.0.113.0/24]}"])
    rules: tuple[RuleSettings, ...] = Field(default=(), examples=["[{domain: app.example.com, policy: one_factor}]"])
    tests: tuple[PolicyTest, ...] = Field(
        default=(), examples=['[{ask: "GET https://app.example.com/", expect: login}]']
    )

    @field_validator("rules", mode="before")
    @classmethod
    def _know_the_networks(cls, written: Any, info: ValidationInfo) -> Any:  # noqa: ANN401 - whatever YAML holds
        if not isinstance(written, list | tuple):
            return written
        definitions = info.data.get("networks")
        return [
            {**rule, "networks": resolve_names(rule["networks"], definitions)}
            if isinstance(rule, dict) and "networks" in rule
            else rule
            for rule in written
        ]
