"""Login with e-mail address and password, in LangSmith's words."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationInfo, field_validator

from gateway.config.section import Section, TruthValue
from gateway.config.well_known_secrets import require_own_secret
from gateway.grammar.email import parse_email
from gateway.grammar.initial_password import broken_initial_password_rules


def _email(written: object) -> object:
    return parse_email(written) if isinstance(written, str) else written


class BasicAuth(Section):
    """The first administrator, and the secret that signs."""

    enabled: TruthValue = Field(default=True, examples=["true"])
    initial_org_admin_email: Annotated[str, BeforeValidator(_email)] | None = Field(
        default=None, examples=["admin@example.com"]
    )
    initial_org_admin_password: SecretStr | None = Field(
        default=None, validate_default=True, examples=["the output of: openssl rand -base64 18, with a symbol added"]
    )
    jwt_secret: Annotated[SecretStr | None, AfterValidator(require_own_secret)] = Field(
        default=None, examples=["the output of: openssl rand -base64 32"]
    )

    @field_validator("enabled")
    @classmethod
    def _require_a_way_in(cls, enabled: bool) -> bool:  # noqa: FBT001 - pydantic's signature
        if not enabled:
            message = "must be true: nobody could log in without it, OAuth is not yet in this version"
            raise ValueError(message)
        return enabled

    @field_validator("initial_org_admin_password")
    @classmethod
    def _require_both_or_none(cls, password: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        # An address that was refused is missing from `data` and has its own problem.
        has_email = info.data.get("initial_org_admin_email") is not None
        if password is None:
            if has_email:
                message = "is missing: the first administrator needs an e-mail address and a password, or neither"
                raise ValueError(message)
            return None
        if not has_email and "initial_org_admin_email" in info.data:
            message = "is set without initial_org_admin_email: the first administrator needs both, or neither"
            raise ValueError(message)
        broken = broken_initial_password_rules(password.get_secret_value())
        if broken:
            raise ValueError(" ".join(broken))
        return password
