"""What the settings say about passwords; the command line asks for it as well, and for nothing else that is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.credentials.password_rules import PasswordRules

if TYPE_CHECKING:
    from gateway.config.settings import Settings


def password_rules(settings: Settings) -> PasswordRules:
    return PasswordRules(
        min_length=settings.auth_api.min_password_length,
        site_name=settings.site_name,
        min_score=settings.auth_api.min_password_score,
    )
