"""Who asks, without a database: principals and what they present."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

from gateway.client_address import parse_address
from gateway.errors import InvalidApiKey
from gateway.forward_auth.presented import Credential, Presented
from gateway.models import CredentialKind, OrganizationRole, Principal, Scope

ADA = Principal(
    account_id="1",
    email="ada@example.com",
    username="ada",
    name="Ada",
    role=OrganizationRole.USER,
    organization="Default",
    workspace="Default",
    groups=("staff", "Café"),
    credential=CredentialKind.SESSION,
    session_id="s",
    level=1,
    must_change_password=False,
)
BAD_KEY = Presented(explicit=Credential(CredentialKind.API_KEY, refusal=InvalidApiKey()))


def logged_in(principal: Principal = ADA, *, address: str | None = None) -> Presented:
    """Somebody's session cookie, from an address or an unknown one."""
    return Presented(session=Credential(CredentialKind.SESSION, principal=principal), client_address=_address(address))


def nobody_from(address: str | None) -> Presented:
    return Presented(client_address=_address(address))


def with_credential(kind: CredentialKind, principal: Principal = ADA, *, scopes: tuple[Scope, ...] = ()) -> Presented:
    """A credential in a header of its own."""
    return Presented(explicit=Credential(kind, principal=replace(principal, credential=kind, scopes=scopes)))


def _address(text: str | None) -> IPv4Address | IPv6Address | None:
    return None if text is None else parse_address(text)
