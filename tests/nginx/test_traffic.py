"""What passes arrives whole."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from gateway.demo.nginx import listen_on_loopback
from tests.support.nginx import APPLICATION_SAYS, HOST, PORTAL, portal_environment, settings_asking, site_behind_nginx
from tests.support.raw_http import request_bytes
from tests.support.threaded_server import Reply, answering

if TYPE_CHECKING:
    from pathlib import Path

    from tests.nginx.conftest import Visitor
    from tests.support.nginx import ProtectedSite


def test_large_body_arrives(site: ProtectedSite, visitor: Visitor) -> None:
    answer = site.ask("POST /upload", f"Cookie: {visitor.cookie}", body=b"x" * 1024 * 1024)
    assert answer.status == 200
    assert answer.json["body_length"] == 1024 * 1024


def test_large_body_of_a_stranger_is_refused_without_the_application(site: ProtectedSite) -> None:
    answer = site.ask("POST /upload", "Accept: application/json", body=b"x" * 1024 * 1024)
    assert answer.status == 401


def test_target_arrives_as_it_was_sent(site: ProtectedSite, visitor: Visitor) -> None:
    target = "/a%2Bb/caf%C3%A9?x=1&y=%2F%3F&z"
    answer = site.ask(f"GET {target}", f"Cookie: {visitor.cookie}")
    assert answer.json["target"] == target


def test_application_knows_the_host_and_port_that_were_typed(site: ProtectedSite) -> None:
    headers = dict(site.application_headers())
    assert headers["Host"] == headers["X-Forwarded-Host"] == f"{HOST}:{site.port}"
    assert headers["X-Forwarded-Proto"] == "http"
    assert headers["X-Forwarded-For"] == headers["X-Real-IP"] == "127.0.0.1"


def test_long_address_and_long_headers_pass(site: ProtectedSite, visitor: Visitor) -> None:
    answer = site.ask(f"GET /search?q={'x' * 32 * 1024}", f"Cookie: {visitor.cookie}", f"X-Long: {'y' * 32 * 1024}")
    assert answer.status == 200


def test_websocket_handshake_reaches_the_application_as_one(site: ProtectedSite, visitor: Visitor) -> None:
    answer = site.ask(
        "GET /socket", f"Cookie: {visitor.cookie}", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: a"
    )
    headers = dict(answer.json["headers"])
    assert (headers["Upgrade"], headers["Connection"].lower()) == ("websocket", "upgrade")


def test_portal_shows_its_login_page(site: ProtectedSite) -> None:
    answer = site.ask("GET /login", "Accept: text/html", host=PORTAL)
    assert answer.status == 200
    assert b"<form" in answer.body


def test_checks_and_application_are_asked_on_kept_connections(tmp_path: Path) -> None:
    listener = listen_on_loopback(0)
    with answering(lambda _: Reply(200)) as gateway:
        settings = settings_asking(gateway.port, portal_environment(tmp_path, listener))
        with site_behind_nginx(settings, listener) as site:
            for number in range(5):
                body = b"x" * number
                assert site.ask("POST /", body=body).json["body_length"] == number
            assert len({request.connection for request in gateway.received}) == 1
            assert len({request.connection for request in site.application.received}) == 1


def test_requests_on_one_connection_are_judged_one_by_one(site: ProtectedSite, visitor: Visitor) -> None:
    """The second request must not pass on the first one's login."""
    allowed = request_bytes("GET /members", f"Host: {HOST}", f"Cookie: {visitor.cookie}")
    refused = request_bytes("GET /members", f"Host: {HOST}", "Accept: application/json", "Connection: close")
    with socket.create_connection(("127.0.0.1", site.port), timeout=15) as connection:
        connection.sendall(allowed + refused)
        answers = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answers.count(APPLICATION_SAYS.encode()) == 1
    assert b"HTTP/1.1 401" in answers
