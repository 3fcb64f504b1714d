"""Who asks, without a database: principals and what they present."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address

from gateway.client_address import parse_address
from gateway.errors import InvalidApiKey
from gateway.forward_auth.presented import Credential, Presented
from gateway.models import (
    AuthMode,
    CredentialKind,
    Membership,
    Organization,
    OrganizationRole,
    Principal,
    Scope,
    Standing,
    Workspace,
    WorkspaceRole,
)

WORKSPACE = Workspace("11111111-1111-4111-8111-111111111111", "Default", datetime(2026, 1, 31, tzinfo=UTC))
ORGANIZATION = Organization("22222222-2222-4222-8222-222222222222", "Default", AuthMode.BASIC)
MEMBERSHIPS = (Membership(WORKSPACE, WorkspaceRole.EDITOR),)
ADA = Principal(
    account_id="1",
    email="ada@example.com",
    username="ada",
    name="Ada",
    role=OrganizationRole.USER,
    standing=Standing(ORGANIZATION, MEMBERSHIPS, groups=("staff", "Café")),
    workspace=WORKSPACE,
    credential=CredentialKind.SESSION,
    session_id="s",
    level=1,
    must_change_password=False,
)
SERVICE = replace(
    ADA,
    account_id="2",
    email="",
    username=None,
    name="Nightly Build",
    standing=Standing(ORGANIZATION, MEMBERSHIPS),
    credential=CredentialKind.API_KEY,
    session_id=None,
    api_key_id="k",
    is_service=True,
)
BAD_KEY = Presented(explicit=Credential(CredentialKind.API_KEY, refusal=InvalidApiKey()))


def logged_in(principal: Principal = ADA, *, address: str | None = None) -> Presented:
    """Somebody's session cookie, from an address or an unknown one."""
    return Presented(session=Credential(CredentialKind.SESSION, principal=principal), client_address=_address(address))


def in_groups(principal: Principal, *groups: str) -> Principal:
    """Give the same principal with these groups instead of their own."""
    return replace(principal, standing=replace(principal.standing, groups=groups))


def nobody_from(address: str | None) -> Presented:
    return Presented(client_address=_address(address))


def with_credential(kind: CredentialKind, principal: Principal = ADA, *, scopes: tuple[Scope, ...] = ()) -> Presented:
    """A credential in a header of its own."""
    return Presented(explicit=Credential(kind, principal=replace(principal, credential=kind, scopes=scopes)))


def _address(text: str | None) -> IPv4Address | IPv6Address | None:
    return None if text is None else parse_address(text)
