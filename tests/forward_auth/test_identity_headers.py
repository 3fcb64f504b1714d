"""Who is there, as the application reads it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.config.identity_headers import IdentityFact
from gateway.config.identity_headers import IdentityHeaders as IdentityHeaderSettings
from gateway.forward_auth.identity_headers import Header, IdentityHeaders
from gateway.models import CredentialKind, Membership, OrganizationRole, Principal, Standing, WorkspaceRole
from tests.support.visitors import ORGANIZATION, SERVICE, WORKSPACE, in_groups

ENGINES = replace(WORKSPACE, display_name="Engines")
ADA = Principal(
    account_id="1",
    email="ada@example.com",
    username="ada",
    name="Ada Lovelace",
    role=OrganizationRole.ADMIN,
    standing=Standing(ORGANIZATION, (Membership(ENGINES, WorkspaceRole.ADMIN),), groups=("admins", "poets")),
    workspace=ENGINES,
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


def identity_headers(principal: Principal | None) -> tuple[Header, ...]:
    return IdentityHeaders(IdentityHeaderSettings().facts).of(principal)


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


@pytest.mark.parametrize("principal", [None, ADA, replace(in_groups(ADA), username=None, name="")])
def test_every_header_is_there_exactly_once_whoever_it_is(principal: Principal | None) -> None:
    """B1."""
    names = [name for name, _ in identity_headers(principal)]
    assert sorted(names) == sorted(NAMES)


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


def test_preset_speaks_the_words_of_oauth2_proxy() -> None:
    settings = IdentityHeaderSettings(presets=("oauth2-proxy",), headers={"X-Forwarded-User": "email"})
    assert dict(IdentityHeaders(settings.facts).of(ADA)) == {
        "X-Auth-Request-User": "ada",
        "X-Auth-Request-Email": "ada@example.com",
        "X-Auth-Request-Preferred-Username": "Ada Lovelace",
        "X-Auth-Request-Groups": "admins,poets",
        "X-Forwarded-User": "ada@example.com",
    }
    assert set(dict(IdentityHeaders(settings.facts).of(None)).values()) == {""}


def test_preset_says_to_langsmith_which_ids_are_there() -> None:
    settings = IdentityHeaderSettings(presets=("langsmith",))
    for principal in (ADA, SERVICE):
        assert dict(IdentityHeaders(settings.facts).of(principal)) == {
            "X-User-Id": principal.account_id,
            "X-Tenant-Id": WORKSPACE.id,
            "X-Organization-Id": ORGANIZATION.id,
        }
    nowhere = dict(IdentityHeaders(settings.facts).of(replace(ADA, workspace=None)))
    assert nowhere == {"X-User-Id": "1", "X-Tenant-Id": "", "X-Organization-Id": ORGANIZATION.id}
    assert set(dict(IdentityHeaders(settings.facts).of(None)).values()) == {""}


def test_ids_can_have_names_of_ones_own() -> None:
    settings = IdentityHeaderSettings(presets=(), headers={"X-Team": "workspace_id", "X-Who": "user_id"})
    assert dict(IdentityHeaders(settings.facts).of(ADA)) == {"X-Team": WORKSPACE.id, "X-Who": "1"}


def test_service_account_is_told_apart_from_people() -> None:
    headers = dict(identity_headers(SERVICE))
    assert (headers["Remote-User"], headers["Remote-Name"]) == ("service:Nightly Build", "Nightly Build")
    assert (headers["Remote-Email"], headers["Remote-Groups"]) == ("", "")


def test_percent_encoding_is_for_applications_that_read_ascii_only() -> None:
    """B3."""
    headers = IdentityHeaders({"Remote-Name": "name"}, percent_encoded=True)
    assert headers.of(replace(ADA, name="Ādā 100%")) == (("Remote-Name", "%C4%80d%C4%81 100%25"),)


@pytest.mark.parametrize(
    "name", ["Set-Cookie", "X-Decision-Id", "Bad Name", "content-length", "X_Under", "Host", "Authorization", "Cookie"]
)
def test_names_that_requests_or_answers_use_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="header name"):
        IdentityHeaderSettings(headers={name: "user"})


@pytest.mark.parametrize("headers", [{"remote-user": "email"}, {"X-Foo": "user", "x-foo": "email"}])
def test_name_that_stands_twice_is_refused(headers: dict[str, IdentityFact]) -> None:
    """B1."""
    with pytest.raises(ValueError, match="twice"):
        IdentityHeaderSettings(headers=headers)
