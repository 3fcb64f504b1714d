"""The check and its collaborators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.forward_auth.authentication import RequestAuthenticator
from gateway.forward_auth.check import Check, CheckSettings
from gateway.forward_auth.checks import Checks
from gateway.forward_auth.identity_headers import IdentityHeaders
from gateway.forward_auth.original_request import Endpoint
from gateway.forward_auth.policy import compile_policy
from gateway.forward_auth.warm_answers import WarmAnswers
from gateway.forward_auth.warm_check import WarmCheck, WarmSettings
from gateway.forward_auth.warm_credentials import WarmCredentials
from gateway.models import AuthMode

if TYPE_CHECKING:
    from gateway.config.settings import Settings
    from gateway.forward_auth.denied import DeniedPage
    from gateway.forward_auth.policy import Policy
    from gateway.wiring.parts import Parts


def make_checks(settings: Settings, parts: Parts, denied_page: DeniedPage) -> Checks:
    policy = compile_policy(settings.access_control)
    full = _make_check(settings, parts, policy, denied_page)
    return Checks(full, warm=_make_warm_checks(settings, parts, policy, full))


def _make_check(settings: Settings, parts: Parts, policy: Policy, denied_page: DeniedPage) -> Check:
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
        policy=policy,
        identity_headers=IdentityHeaders(
            settings.identity_headers.facts, percent_encoded=settings.identity_headers.encoding == "percent"
        ),
        denied_page=denied_page,
    )


def _make_warm_checks(settings: Settings, parts: Parts, policy: Policy, check: Check) -> dict[Endpoint, WarmCheck]:
    workspace_header = settings.workspace_header.lower()
    formats = parts.api_keys.formats
    credentials = WarmCredentials(
        parts.recognition,
        cookie_name=settings.session_cookie_name,
        key_prefixes=(formats.personal.prefix, formats.service.prefix),
    )
    answers = WarmAnswers(check, workspace_header=workspace_header)
    return {
        endpoint: WarmCheck(
            endpoint,
            WarmSettings(workspace_header, open_to_strangers=parts.portal.default_user is None),
            trusted_proxies=parts.portal.trusted_proxies,
            credentials=credentials,
            policy=policy,
            answers=answers,
        )
        for endpoint in Endpoint
    }
