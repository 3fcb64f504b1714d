"""What passes arrives whole, and at once."""

from __future__ import annotations

import http.client
import socket
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING

import pytest

from gateway.demo.nginx import listen_on_loopback
from tests.support.protected_site import (
    APPLICATION_SAYS,
    HOST,
    PORTAL,
    portal_environment,
    settings_asking,
    values_of,
)
from tests.support.raw_http import request_bytes
from tests.support.stages import ALLOW, PROXIES
from tests.support.threaded_server import Reply, answering

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from io import BufferedIOBase
    from pathlib import Path

    from tests.support.protected_site import ProtectedSite, Visitor
    from tests.support.stages import StandIn

LARGE = b"0123456789abcdef" * (5 * 1024 * 1024 // 16)
WEBSOCKET = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]
KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="  # the pair of RFC 6455 section 1.3
ACCEPT = ("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
# A masked text frame "Hello" (RFC 6455 section 5.7).
FRAME = bytes.fromhex("818537fa213d7f9f4d5158")


@contextmanager
def conversation(
    proxy: str, folder: Path, talk: Callable[[BufferedIOBase, BufferedIOBase], None], *head: tuple[str, str]
) -> Iterator[int]:
    """Give the port of a site whose application starts its answer and then talks."""
    listener = listen_on_loopback(0)
    reply = Reply(101 if head[0][0] == "Upgrade" else 200, head, talk=talk)
    with answering(lambda _: ALLOW) as gateway:
        settings = settings_asking(gateway.port, portal_environment(folder, listener))
        with PROXIES[proxy](settings, listener, application_answers=lambda _: reply) as site:
            yield site.port


def test_large_body_arrives_whole(site: ProtectedSite, visitor: Visitor) -> None:
    answer = site.ask("POST /upload", f"Cookie: {visitor.cookie}", body=LARGE)
    assert answer.status == 200
    assert site.application.received[-1].body == LARGE


def test_large_body_of_a_stranger_is_refused_without_the_application(site: ProtectedSite) -> None:
    answer = site.ask("POST /upload", "Accept: application/json", body=b"x" * 128 * 1024)
    assert answer.status == 401


def test_target_arrives_as_it_was_sent(site: ProtectedSite, visitor: Visitor) -> None:
    target = "/a%2Bb/caf%C3%A9?x=1&y=%2F%3F&z"
    answer = site.ask(f"GET {target}", f"Cookie: {visitor.cookie}")
    assert answer.json["target"] == target


def test_application_knows_the_host_and_port_that_were_typed(site: ProtectedSite) -> None:
    headers = site.application_headers()
    for name in ("Host", "X-Forwarded-Host"):
        assert values_of(headers, name) == [f"{HOST}:{site.port}"]
    assert values_of(headers, "X-Forwarded-Proto") == ["http"]
    for name in ("X-Forwarded-For", "X-Real-IP"):
        assert values_of(headers, name) == ["127.0.0.1"]


def test_long_address_and_long_headers_pass(site: ProtectedSite, visitor: Visitor) -> None:
    answer = site.ask(f"GET /search?q={'x' * 16 * 1024}", f"Cookie: {visitor.cookie}", f"X-Long: {'y' * 32 * 1024}")
    assert answer.status == 200


def test_websocket_is_opened_and_carries_both_ways(proxy: str, tmp_path: Path) -> None:
    def echo(reading: BufferedIOBase, writing: BufferedIOBase) -> None:
        writing.write(reading.read(len(FRAME)))

    head = (("Upgrade", "websocket"), ("Connection", "Upgrade"), ACCEPT)
    with (
        conversation(proxy, tmp_path, echo, *head) as port,
        socket.create_connection(("127.0.0.1", port), timeout=15) as connection,
    ):
        connection.sendall(request_bytes("GET /socket", f"Host: {HOST}:{port}", *WEBSOCKET, KEY))
        reading = connection.makefile("rb")
        status, *headers = iter(reading.readline, b"\r\n")
        assert status.startswith(b"HTTP/1.1 101 ")
        assert f"{ACCEPT[0]}: {ACCEPT[1]}".lower().encode() in b"".join(headers).lower()
        connection.sendall(FRAME)
        assert reading.read(len(FRAME)) == FRAME


def test_websocket_of_a_stranger_is_refused(site: ProtectedSite) -> None:
    """A9: a redirect would mean nothing to it."""
    answer = site.ask("GET /socket", *WEBSOCKET, KEY, "Origin: http://app.example.com")
    assert answer.status == 401


def test_websocket_handshake_reaches_the_application_as_one(site: ProtectedSite, visitor: Visitor) -> None:
    answer = site.ask("GET /socket", f"Cookie: {visitor.cookie}", *WEBSOCKET, KEY)
    headers = [(name, value) for name, value in answer.json["headers"]]
    assert values_of(headers, "Upgrade") == ["websocket"]
    assert [value.lower() for value in values_of(headers, "Connection")] == ["upgrade"]
    assert values_of(headers, "Remote-User") == ["admin@example.com"]


def test_events_arrive_as_they_are_written(proxy: str, tmp_path: Path) -> None:
    """The second one is written only after the visitor has the first: a proxy that collects would never get there."""
    first_has_arrived = Event()

    def write(_: BufferedIOBase, writing: BufferedIOBase) -> None:
        writing.write(b"data: first\n\n")
        first_has_arrived.wait(30)
        writing.write(b"data: second\n\n")

    with conversation(proxy, tmp_path, write, ("Content-Type", "text/event-stream"), ("Connection", "close")) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
        connection.request("GET", "/events", headers={"Host": f"{HOST}:{port}", "Accept": "text/event-stream"})
        response = connection.getresponse()
        try:
            assert response.getheader("Content-Type") == "text/event-stream"
            assert response.readline() == b"data: first\n"
        finally:
            first_has_arrived.set()
        assert response.read() == b"\ndata: second\n\n"
        connection.close()


def test_portal_shows_its_login_page(site: ProtectedSite) -> None:
    answer = site.ask("GET /login", "Accept: text/html", host=PORTAL)
    assert answer.status == 200
    assert b"<form" in answer.body


def test_checks_and_application_are_asked_on_kept_connections(stand_in: StandIn) -> None:
    stand_in.answer(lambda _: ALLOW)
    site = stand_in.site
    for number in range(20):
        body = b"x" * number
        assert site.ask("POST /", body=body).json["body_length"] == number
    assert len(stand_in.gateway.received) == len(site.application.received) == 20
    assert len({request.connection for request in stand_in.gateway.received}) == 1
    assert len({request.connection for request in site.application.received}) == 1


@pytest.mark.parametrize("first", ["cookie", "bearer"])
def test_requests_on_one_connection_are_judged_one_by_one(site: ProtectedSite, visitor: Visitor, first: str) -> None:
    """The second request must not pass on the first one's login."""
    credential = visitor.bearer if first == "bearer" else f"Cookie: {visitor.cookie}"
    allowed = request_bytes("GET /members", f"Host: {HOST}", credential)
    refused = request_bytes("GET /members", f"Host: {HOST}", "Accept: application/json", "Connection: close")
    with socket.create_connection(("127.0.0.1", site.port), timeout=15) as connection:
        connection.sendall(allowed + refused)
        answers = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answers.count(APPLICATION_SAYS.encode()) == 1
    assert b"HTTP/1.1 401" in answers
