"""What the settings say about keys; the command line asks for it as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.credentials.api_keys import ApiKeyFormat, ApiKeyFormats
from gateway.key_limits import KeyLimitsInForce

if TYPE_CHECKING:
    from gateway.config.settings import Settings


def key_formats(settings: Settings) -> ApiKeyFormats:
    return ApiKeyFormats(
        personal=ApiKeyFormat(settings.api_key_prefix), service=ApiKeyFormat(settings.service_key_prefix)
    )


def key_limits(settings: Settings) -> KeyLimitsInForce:
    return KeyLimitsInForce(settings.organization.key_limits)
