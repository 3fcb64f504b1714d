"""What our snippets make of the check's answers, which nginx by itself knows three of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.demo.nginx import listen_on_loopback
from tests.support.background import in_background
from tests.support.gateway import start_gateway
from tests.support.nginx import site_behind_nginx
from tests.support.protected_site import BROWSER, HOST, PORTAL, PROGRAM, portal_environment, settings_asking

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.protected_site import ProtectedSite, Visitor


@pytest.mark.parametrize("host", ["other.example.com", "127.0.0.1", "localhost", f"{HOST}.evil.example"])
def test_unknown_host_is_misdirected(site: ProtectedSite, visitor: Visitor, host: str) -> None:
    answer = site.ask("GET /public/page", f"Cookie: {visitor.cookie}", host=host)
    assert answer.status == 421


def test_check_itself_has_no_address_outside(site: ProtectedSite, visitor: Visitor) -> None:
    lines = [f"Cookie: {visitor.cookie}", f"X-Original-URL: http://{HOST}/", "X-Original-Method: GET"]
    assert site.ask("GET /_gateway_check", *lines).status == 404


@pytest.mark.parametrize(("length", "status"), [(47 * 1024, 200), (49 * 1024, 400)])
def test_header_line_may_be_as_long_as_the_snippet_says(site: ProtectedSite, *, length: int, status: int) -> None:
    assert site.ask("GET /public/page", f"X-Long: {'x' * length}").status == status


def test_semicolon_in_the_query_is_kept(site: ProtectedSite, visitor: Visitor) -> None:
    answer = site.ask("GET /x?a=1;b=2", f"Cookie: {visitor.cookie}")
    assert answer.json["target"] == "/x?a=1;b=2"


def test_address_as_ingress_nginx_encodes_it_leads_back(site: ProtectedSite, visitor: Visitor) -> None:
    """It writes `rd=$scheme://$http_host$escaped_request_uri`, in which the host stays as it is."""
    login = f"GET /login?rd=http://{HOST}:{site.port}%2Freports%3Fpage%3D2%26sort%3Dname"
    answer = site.ask(login, BROWSER, f"Cookie: {visitor.cookie}", host=PORTAL)
    assert answer.header("Location") == f"http://{HOST}:{site.port}/reports?page=2&sort=name"


def test_stopped_gateway_is_unavailable_and_says_so_to_people_and_programs(tmp_path: Path) -> None:
    """N2, A1."""
    listener = listen_on_loopback(0)
    environ = portal_environment(tmp_path, listener)
    with in_background(start_gateway(environ)) as gateway:
        settings = settings_asking(gateway.url, environ)
    with site_behind_nginx(settings, listener) as site:
        for host in (HOST, PORTAL):
            for line, kind in ((BROWSER, "text/html; charset=utf-8"), (PROGRAM, "application/json")):
                answer = site.ask("GET /", line, host=host)
                assert answer.status == 503
                assert answer.header("Retry-After") == "5"
                assert answer.header("Content-Type") == kind
