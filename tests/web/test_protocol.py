"""What never becomes a request of ours, or only half: refused in our own words, and never repeated."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from gateway.web import protocol
from tests.support.gateway import ADMIN_EMAIL, ADMIN_PASSWORD, APP_URL, Gateway

SECRET = "5ecret-of-the-visitor"


async def _send(gateway: Gateway, raw: bytes) -> bytes:
    address = urlsplit(gateway.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(raw)
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\nCookie: gateway_session=%s\x01\r\n\r\n",
        b"GET /setup?token=%s HTTP/9.9\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nCookie: " + b"x" * 70_000 + b"%s\r\n\r\n",
        b"POST /login HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n%s\r\n",
        b"%s\r\n\r\n",
    ],
)
async def test_unreadable_request_is_refused_and_repeated_nowhere(
    gateway: Gateway, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, raw: bytes
) -> None:
    """W3, W5: the line that could not be read may hold a cookie, or a log line of the sender's choice."""
    answer = await _send(gateway, raw.replace(b"%s", SECRET.encode()))
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400"))
    assert b'"error"' in answer
    assert b"Cache-Control: no-store" in answer
    printed = capfd.readouterr()
    for text in (answer.decode("latin-1"), printed.out, printed.err, caplog.text):
        assert SECRET not in text


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
@pytest.mark.parametrize("path", ["/api/auth/login", "/login", "/logout", "/setup"])
async def test_encoded_body_is_refused(gateway: Gateway, path: str, encoding: str) -> None:
    headers = {"Content-Encoding": encoding, "Content-Type": "application/json"}
    response = await gateway.client.post(f"{gateway.url}{path}", data=b"garbage", headers=headers)
    assert response.status == 415


@pytest.mark.usefixtures("lane")
@pytest.mark.parametrize("more", [b"Expect: \xff", b"Expect: foo", b"Expect: 100-continue", b"Content-Encoding: br"])
@pytest.mark.usefixtures("lane")
async def test_check_ignores_what_it_promises_to_ignore(gateway: Gateway, more: bytes) -> None:
    cookie = (await gateway.session()).cookie
    head = [
        b"GET /api/authz/auth-request HTTP/1.1",
        b"Host: gateway",
        b"Connection: close",
        b"X-Original-URL: " + APP_URL.encode(),
        b"X-Original-Method: GET",
        b"Cookie: " + cookie.encode(),
        more,
    ]
    assert (await _send(gateway, b"\r\n".join([*head, b"", b""]))).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("path", [b"/login", b"/nothing", b"/healthz"])
async def test_strange_expectation_is_no_error_of_ours(gateway: Gateway, path: bytes) -> None:
    answer = await _send(gateway, b"GET " + path + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: \xff\r\n\r\n")
    assert not answer.startswith(b"HTTP/1.1 5")


async def test_client_that_waits_for_a_go_ahead_is_answered(gateway: Gateway) -> None:
    body = f'{{"email": "{ADMIN_EMAIL}", "password": "{ADMIN_PASSWORD}"}}'.encode()
    head = (
        b"POST /api/auth/login HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    )
    assert b"HTTP/1.1 200" in await _send(gateway, head + body)


async def test_repeated_origin_is_judged_by_every_line(gateway: Gateway) -> None:
    """S9."""
    own = gateway.settings.public_url.encode()
    head = b"POST /api/auth/login HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\nOrigin: %s\r\n" % own
    assert (await _send(gateway, head + b"\r\n")).startswith(b"HTTP/1.1 400")
    assert (await _send(gateway, head + b"Origin: https://evil.example\r\n\r\n")).startswith(b"HTTP/1.1 403")


async def test_thousands_of_cookies_hide_none_of_ours(gateway: Gateway) -> None:
    """N3."""
    cookie = (await gateway.session()).cookie
    page = await gateway.ask("/", Cookie="a;" * 20_000 + cookie)
    assert page.status == 200


@pytest.mark.parametrize(
    "half", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: a\r\nX: ", b"GET /api/authz/auth-request HTTP/1.1\r\n"]
)
@pytest.mark.usefixtures("lane")
async def test_client_that_never_asks_is_sent_away(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, half: bytes
) -> None:
    """N3."""
    monkeypatch.setattr(protocol, "FIRST_HEAD_WITHIN", timedelta(milliseconds=50))
    assert await _send(gateway, half) == b""


async def test_client_that_asked_keeps_its_connection(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = asyncio.Event()
    close_if_silent = protocol.Protocol._close_if_silent  # noqa: SLF001 - the moment to wait for

    def look(this: protocol.Protocol, transport: asyncio.BaseTransport) -> None:
        close_if_silent(this, transport)
        looked.set()

    monkeypatch.setattr(protocol, "FIRST_HEAD_WITHIN", timedelta(milliseconds=300))
    monkeypatch.setattr(protocol.Protocol, "_close_if_silent", look)
    address = urlsplit(gateway.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    for _ in range(2):
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(len('{"status": "ok"}'))
        await looked.wait()
    writer.close()
    await writer.wait_closed()
