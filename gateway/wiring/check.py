"""The check and its collaborators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.forward_auth.authentication import RequestAuthenticator
from gateway.forward_auth.check import Check, CheckSettings
from gateway.forward_auth.identity_headers import IdentityHeaders
from gateway.forward_auth.policy import compile_policy
from gateway.models import AuthMode

if TYPE_CHECKING:
    from gateway.config.settings import Settings
    from gateway.forward_auth.denied import DeniedPage
    from gateway.wiring.parts import Parts


def make_check(settings: Settings, parts: Parts, denied_page: DeniedPage) -> Check:
    return Check(
        CheckSettings(
            public_url=settings.public_url,
            max_answer_headers=settings.max_answer_headers,
            forward_credentials=settings.forward_credentials,
            workspace_header=settings.workspace_header.lower(),
            logins=settings.auth_mode is not AuthMode.NONE,
        ),
        trusted_proxies=parts.portal.trusted_proxies,
        authenticator=RequestAuthenticator(
            parts.recognition,
            cookie_name=settings.session_cookie_name,
            basic_credentials=settings.basic_credentials and settings.auth_mode is not AuthMode.NONE,
            default_user=parts.portal.default_user,
        ),
        policy=compile_policy(settings.access_control),
        identity_headers=IdentityHeaders(
            settings.identity_headers.facts, percent_encoded=settings.identity_headers.encoding == "percent"
        ),
        denied_page=denied_page,
    )
