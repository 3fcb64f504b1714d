"""Service accounts, API keys of both kinds, and the limits of keys: their collaborators, and the handlers over them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.account.api_key_handlers import ApiKeyHandlers
from gateway.handlers import ServiceAccountsApi
from gateway.organization.key_limit_handlers import OrganizationInfoHandlers
from gateway.organization.key_limits import OrganizationKeyLimits
from gateway.organization.service_accounts.handlers import ServiceAccountHandlers
from gateway.organization.service_accounts.key_handlers import ServiceKeyHandlers
from gateway.organization.service_accounts.service_accounts import ServiceAccounts
from gateway.owned_api_keys import OwnedApiKeys
from gateway.wiring.keys import key_limits

if TYPE_CHECKING:
    from gateway.config.settings import Settings
    from gateway.wiring.parts import Parts


def make_api_keys(settings: Settings, parts: Parts) -> ApiKeyHandlers:
    return ApiKeyHandlers(portal=parts.portal, api_keys=_owned(settings, parts, of_service=False))


def make_service_accounts(settings: Settings, parts: Parts) -> ServiceAccountsApi:
    limits = OrganizationKeyLimits(parts.database, revocation=parts.revocation, in_force=key_limits(settings))
    return ServiceAccountsApi(
        accounts=ServiceAccountHandlers(ServiceAccounts(parts.database, revocation=parts.revocation)),
        keys=ServiceKeyHandlers(_owned(settings, parts, of_service=True)),
        info=OrganizationInfoHandlers(limits),
    )


def _owned(settings: Settings, parts: Parts, *, of_service: bool) -> OwnedApiKeys:
    return OwnedApiKeys(
        parts.database,
        api_keys=parts.api_keys,
        revocation=parts.revocation,
        limits=key_limits(settings),
        of_service=of_service,
    )
