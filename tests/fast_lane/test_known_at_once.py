"""What proxies of all kinds send for somebody who is known is answered from memory: the full check is never asked."""

from __future__ import annotations

import pytest

from gateway.forward_auth.answers import Answer
from gateway.forward_auth.check import Check, CheckRequest
from tests.fast_lane.heads import check, head, in_version, to
from tests.fast_lane.test_connections import connected, known
from tests.support.gateway import Gateway

FORWARD_AUTH = (
    b"Host: app.example.com",
    b"X-Forwarded-Method: GET",
    b"X-Forwarded-Proto: http",
    b"X-Forwarded-Host: app.example.com",
    b"X-Forwarded-Uri: /reports?page=2",
    b"Cookie: @cookie@",
)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[CheckRequest]:
    """What the full check was asked."""
    requests: list[CheckRequest] = []
    answer = Check.answer

    async def note(this: Check, request: CheckRequest) -> Answer:
        requests.append(request)
        return await answer(this, request)

    monkeypatch.setattr(Check, "answer", note)
    return requests


@pytest.mark.both_databases
@pytest.mark.usefixtures("gateways_database")
async def test_credential_that_is_not_known_yet_is_learnt_and_answered_from_memory(
    gateway: Gateway, asked: list[CheckRequest]
) -> None:
    someone = await gateway.session()
    for line in (f"Cookie: {someone.cookie}", f"Authorization: {someone.bearer}"):
        async with connected(gateway) as client:
            for _ in range(2):
                # The second one comes while the first one is asked about, or after it.
                await client.send(check().replace(b"Cookie: @cookie@", line.encode()))
            assert await client.statuses(2) == [200, 200]
            assert asked == []
            await client.send(check().replace(b"Cookie: @cookie@", line.encode()[:-1] + b"~"))
            assert await client.statuses(1) == [401]
            assert len(asked) == 1
        asked.clear()


@pytest.mark.parametrize(
    ("sent", "stays_open"),
    [
        pytest.param(check(), True, id="nginx as we write it"),
        pytest.param(check(b"Connection: keep-alive"), True, id="keep-alive aloud"),
        pytest.param(check(b"Connection: close"), False, id="ingress-nginx"),
        pytest.param(in_version(b"HTTP/1.0", b"Connection: close"), False, id="nginx without proxy_http_version"),
        pytest.param(in_version(b"HTTP/1.0"), False, id="HTTP/1.0"),
        pytest.param(to(b"/api/authz/auth-request?v=1"), True, id="a query in the address of the check"),
        pytest.param(
            head(b"GET /api/authz/forward-auth?page=2 HTTP/1.1", *FORWARD_AUTH, b"Via: 1.1 Caddy"), True, id="Caddy"
        ),
        pytest.param(
            head(b"GET /api/authz/forward-auth?page=2 HTTP/1.1", *FORWARD_AUTH, b"connection: close"),
            False,
            id="a query and close",
        ),
    ],
)
async def test_known_check_is_answered_from_memory(
    gateway: Gateway, asked: list[CheckRequest], *, sent: bytes, stays_open: bool
) -> None:
    quick = await known(gateway)
    cookie = quick.partition(b"Cookie: ")[2].partition(b"\r\n")[0]
    asked.clear()
    async with connected(gateway) as client:
        await client.send(sent.replace(b"@cookie@", cookie))
        assert await client.statuses(1) == [200]
        if stays_open:
            await client.send(quick)
            assert await client.statuses(1) == [200]
        else:
            assert await client.ended()
    assert asked == []
