"""Who is there, as the application reads it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.forward_auth.identity_headers import IDENTITY_HEADERS, identity_headers
from gateway.models import CredentialKind, OrganizationRole, Principal

ADA = Principal(
    account_id="1",
    email="ada@example.com",
    username="ada",
    name="Ada Lovelace",
    role=OrganizationRole.ADMIN,
    organization="Default",
    workspace="Engines",
    groups=("admins", "poets"),
    credential=CredentialKind.SESSION,
    session_id="s",
    level=1,
    must_change_password=False,
)
NAMES = {
    "Remote-User",
    "Remote-Email",
    "Remote-Name",
    "Remote-Groups",
    "Remote-Role",
    "Remote-Organization",
    "Remote-Workspace",
    "Remote-Auth-Method",
    "Remote-Auth-Level",
}


def test_what_is_known_is_said() -> None:
    assert dict(identity_headers(ADA)) == {
        "Remote-User": "ada",
        "Remote-Email": "ada@example.com",
        "Remote-Name": "Ada Lovelace",
        "Remote-Groups": "admins,poets",
        "Remote-Role": "Organization Admin",
        "Remote-Organization": "Default",
        "Remote-Workspace": "Engines",
        "Remote-Auth-Method": "session",
        "Remote-Auth-Level": "1",
    }


@pytest.mark.parametrize("principal", [None, ADA, replace(ADA, username=None, groups=(), name="")])
def test_every_header_is_there_exactly_once_whoever_it_is(principal: Principal | None) -> None:
    """B1."""
    names = [name for name, _ in identity_headers(principal)]
    assert sorted(names) == sorted(NAMES)
    assert tuple(names) == IDENTITY_HEADERS


def test_nobody_is_empty_at_level_zero() -> None:
    """B1: with the header absent, the visitor's own would pass."""
    headers = dict(identity_headers(None))
    assert headers.pop("Remote-Auth-Level") == "0"
    assert set(headers.values()) == {""}


def test_without_a_username_the_address_stands_for_it() -> None:
    headers = dict(identity_headers(replace(ADA, username=None)))
    assert headers["Remote-User"] == headers["Remote-Email"] == "ada@example.com"


def test_access_token_is_named_as_such() -> None:
    assert dict(identity_headers(replace(ADA, credential=CredentialKind.JWT)))["Remote-Auth-Method"] == "jwt"


@pytest.mark.parametrize("name", ["Ādā Łovelace", "埃达", "a%20b", " Ada ", "Ada, Countess of Lovelace"])
def test_values_are_told_unchanged(name: str) -> None:
    """B3."""
    assert dict(identity_headers(replace(ADA, name=name)))["Remote-Name"] == name
