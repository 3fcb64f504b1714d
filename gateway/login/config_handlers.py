"""What a login form needs to know before anybody has logged in, by JSON."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

# Each provider has a switch of its own for clients that know them by name.
_PROVIDERS = ("google", "facebook", "github", "discord", "openid")


@dataclass(frozen=True, slots=True)
class PublicConfig:
    """`GET /api/config`. Everybody may read it: what is secret has no place here."""

    app_title: str
    server_domain: str
    email_login_enabled: bool
    registration_enabled: bool
    password_reset_enabled: bool
    email_enabled: bool
    min_password_length: int

    async def show(self, _request: web.Request) -> web.Response:
        # No provider can be set up in this version.
        return web.json_response(
            {
                "appTitle": self.app_title,
                "serverDomain": self.server_domain,
                "emailLoginEnabled": self.email_login_enabled,
                "registrationEnabled": self.registration_enabled,
                "passwordResetEnabled": self.password_reset_enabled,
                "emailEnabled": self.email_enabled,
                "socialLoginEnabled": False,
                "socialLogins": [],
                **{f"{provider}LoginEnabled": False for provider in _PROVIDERS},
                "minPasswordLength": self.min_password_length,
            }
        )
