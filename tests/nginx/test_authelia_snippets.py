"""nginx snippets that were written for Authelia work with the gateway's address in them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.demo.nginx import nginx_running
from tests.support.authelia import stage_of_authelia
from tests.support.protected_site import BROWSER, HOST, PORTAL, PROGRAM, values_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.protected_site import ProtectedSite, Visitor
    from tests.support.stages import Stage

SNIPPETS = Path(__file__).parent / "authelia"
FILES = {
    "gateway.conf": SNIPPETS / "site.conf",
    "snippets/authelia-location.conf": SNIPPETS / "authelia-location.conf",
    "snippets/authelia-authrequest.conf": SNIPPETS / "authelia-authrequest.conf",
}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage_of_authelia(nginx_running, files=FILES, folder=tmp_path_factory.mktemp("authelia")) as stage:
        yield stage


def test_stranger_is_sent_to_log_in_and_comes_back(site: ProtectedSite) -> None:
    answer = site.ask("GET /reports?page=2&sort=name", BROWSER)
    assert answer.status == 302
    login_url = urlsplit(answer.header("Location") or "")
    assert (login_url.netloc, login_url.path) == (f"{PORTAL}:{site.port}", "/login")
    assert parse_qs(login_url.query)["rd"] == [f"http://{HOST}:{site.port}/reports?page=2&sort=name"]


def test_program_is_redirected_too(site: ProtectedSite) -> None:
    """`error_page 401 =302` knows no difference; our own snippet does."""
    assert site.ask("GET /api", PROGRAM).status == 302


def test_visitor_is_let_in_and_named(site: ProtectedSite, visitor: Visitor) -> None:
    answer = site.ask("POST /form", f"Cookie: {visitor.cookie}", "Remote-User: forged", body=b"a=1")
    assert answer.status == 200
    headers = [(name, value) for name, value in answer.json["headers"]]
    assert values_of(headers, "Remote-User") == ["admin@example.com"]
    assert values_of(headers, "Remote-Email") == ["admin@example.com"]


def test_stranger_on_a_public_page_is_nobody(site: ProtectedSite) -> None:
    assert values_of(site.application_headers("Remote-User: forged"), "Remote-User") == []


def test_known_visitor_without_permission_is_refused(site: ProtectedSite, visitor: Visitor) -> None:
    for line in (BROWSER, PROGRAM):
        assert site.ask("GET /closed", line, f"Cookie: {visitor.cookie}").status == 403
