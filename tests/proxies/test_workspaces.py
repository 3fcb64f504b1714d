"""The workspace that a request names is verified before an application that trusts LangSmith's headers reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.support.protected_site import PROGRAM, values_of

if TYPE_CHECKING:
    from tests.support.protected_site import ProtectedSite, Visitor
    from tests.support.stages import Stage

FORGED = "forged-by-the-visitor"
NAMES = ("X-User-Id", "X-Tenant-Id", "X-Organization-Id")


@pytest.fixture
def stage(request: pytest.FixtureRequest, proxy: str) -> Stage:
    """A gateway that tells applications who is there in LangSmith's words."""
    found: Stage = request.getfixturevalue(f"langsmith_behind_{proxy}")
    return found


def told(site: ProtectedSite, *lines: str, path: str = "/members") -> dict[str, list[str]]:
    """Give LangSmith's headers as the application received them; one that is empty counts as absent."""
    answer = site.ask(f"GET {path}", *lines)
    assert answer.status == 200, answer
    headers = [(name, value) for name, value in answer.json["headers"]]
    return {name: [value for value in values_of(headers, name) if value] for name in NAMES}


def test_application_is_told_the_ids(site: ProtectedSite, visitor: Visitor) -> None:
    """B1."""
    headers = told(site, f"Cookie: {visitor.cookie}")
    assert [len(values) for values in headers.values()] == [1, 1, 1]
    assert len({value for values in headers.values() for value in values}) == 3


def test_named_workspace_reaches_the_application_as_the_gateway_writes_it(
    site: ProtectedSite, visitor: Visitor
) -> None:
    usual = told(site, f"Cookie: {visitor.cookie}")
    [workspace] = usual["X-Tenant-Id"]
    for spelling in (workspace, workspace.upper()):
        for name in ("X-Tenant-Id", "x-tenant-id"):
            assert told(site, f"Cookie: {visitor.cookie}", f"{name}: {spelling}") == usual


@pytest.mark.parametrize("spelling", ["X-Tenant-Id", "X-TENANT-ID", "x-tenant-id"])
def test_forged_workspace_is_refused(site: ProtectedSite, visitor: Visitor, spelling: str) -> None:
    """B2."""
    for value in (FORGED, str(uuid4())):
        before = len(site.application.received)
        answer = site.ask("GET /members", f"Cookie: {visitor.cookie}", PROGRAM, f"{spelling}: {value}")
        assert (answer.status, answer.json["code"]) == (403, "unknown_workspace")
        assert answer.header("X-Auth-Reason") == "unknown_workspace"
        assert len(site.application.received) == before


def test_of_two_workspaces_none_arrives_that_was_not_verified(site: ProtectedSite, visitor: Visitor) -> None:
    """B2: nginx before 1.23 tells the check the first line only, and all others refuse."""
    [workspace] = told(site, f"Cookie: {visitor.cookie}")["X-Tenant-Id"]
    for first, second in ((workspace, FORGED), (FORGED, workspace)):
        lines = [f"X-Tenant-Id: {first}", f"X-Tenant-Id: {second}"]
        answer = site.ask("GET /members", f"Cookie: {visitor.cookie}", PROGRAM, *lines)
        if answer.status == 200:
            assert values_of(answer.json["headers"], "X-Tenant-Id") == [workspace]
        else:
            assert (answer.status, answer.json["code"]) == (403, "unknown_workspace")


@pytest.mark.parametrize(
    "name", ["X-User-Id", "X_User_Id", "X.User.Id", "X-Organization-Id", "x_organization_id", "X_Tenant_Id"]
)
def test_forged_ids_never_reach_the_application(site: ProtectedSite, visitor: Visitor, name: str) -> None:
    """B2."""
    expected = told(site, f"Cookie: {visitor.cookie}")
    answer = site.ask("GET /members", f"Cookie: {visitor.cookie}", f"{name}: {FORGED}")
    assert answer.status == 200
    assert FORGED not in str(answer.json["headers"])
    assert told(site, f"Cookie: {visitor.cookie}", f"{name}: {FORGED}") == expected


@pytest.mark.parametrize("name", NAMES)
def test_what_strangers_say_reaches_no_public_page(site: ProtectedSite, visitor: Visitor, name: str) -> None:
    """B2: nothing is refused there, and nothing is believed."""
    assert told(site, f"{name}: {FORGED}", path="/public/page") == {known: [] for known in NAMES}
    headers = told(site, f"{name}: {FORGED}", f"Cookie: {visitor.cookie}", path="/public/page")
    assert FORGED not in str(headers)
    assert headers["X-User-Id"]
    assert bool(headers["X-Tenant-Id"]) is (name != "X-Tenant-Id")
