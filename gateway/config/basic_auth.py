"""Login with e-mail address and password, in LangSmith's words. What goes together is in `modes.py`."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, field_validator

from gateway.config.section import Section, TruthValue
from gateway.config.well_known_secrets import require_own_secret
from gateway.grammar.email import parse_email
from gateway.grammar.initial_password import broken_initial_password_rules


def _email(written: object) -> object:
    return parse_email(written) if isinstance(written, str) else written


class BasicAuth(Section):
    """The first administrator, and the secret that signs. `enabled` that is not written is as the mode has it."""

    enabled: TruthValue | None = Field(default=None, examples=["true"])
    initial_org_admin_email: Annotated[str, BeforeValidator(_email)] | None = Field(
        default=None, examples=["admin@example.com"]
    )
    initial_org_admin_password: SecretStr | None = Field(
        default=None, examples=["the output of: openssl rand -base64 18, with a symbol added"]
    )
    jwt_secret: Annotated[SecretStr | None, AfterValidator(require_own_secret)] = Field(
        default=None, examples=["the output of: openssl rand -base64 32"]
    )

    @field_validator("initial_org_admin_password")
    @classmethod
    def _require_strength(cls, password: SecretStr | None) -> SecretStr | None:
        broken = broken_initial_password_rules(password.get_secret_value()) if password is not None else []
        if broken:
            raise ValueError(" ".join(broken))
        return password
