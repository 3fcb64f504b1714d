"""An account as the JSON API and the access token show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gateway.models import Account, OrganizationRole


@dataclass(frozen=True, slots=True)
class Profiles:
    """Render accounts in the shape that clients of the auth API know."""

    upper_case_roles: bool
    force_password_change: bool

    def role(self, account: Account) -> str:
        role = "admin" if account.role is OrganizationRole.ADMIN else "user"
        return role.upper() if self.upper_case_roles else role

    def user(self, account: Account) -> dict[str, Any]:
        """Give the `user` object."""
        return {
            "id": account.id,
            "_id": account.id,
            "email": account.email,
            "name": account.name,
            "username": account.username or account.email,
            "role": self.role(account),
            "avatar": None,
            "provider": "local",
            "emailVerified": account.email_verified,
            "twoFactorEnabled": account.has_second_factor,
            "mustChangePassword": account.must_change_password and self.force_password_change,
            "createdAt": account.created_at.isoformat().replace("+00:00", "Z"),
            "updatedAt": account.updated_at.isoformat().replace("+00:00", "Z"),
        }

    def claims(self, account: Account) -> dict[str, str]:
        """Give what an access token says about its account beside the standard claims."""
        return {"email": account.email, "name": account.name, "role": self.role(account)}
