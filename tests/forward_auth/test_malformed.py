"""Ten thousand checks that nobody should ask, half of them in each lane: never a 2xx, never an error of ours."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from urllib.parse import urlsplit

import pytest

from tests.support.gateway import Gateway

CHECKS = 5_000
CONNECTIONS = 8

_FAMILIES = {
    "auth-request": {"X-Original-URL": b"http://app.example.com/reports", "X-Original-Method": b"GET"},
    "forward-auth": {
        "X-Forwarded-Method": b"GET",
        "X-Forwarded-Proto": b"http",
        "X-Forwarded-Host": b"app.example.com",
        "X-Forwarded-Uri": b"/reports",
    },
}
_HOSTILE = (
    b"", b" ", b"\xff\xfe", b"http://", b"//", b"/%", b"/%zz", b"/%00", b"/a%c0%ae", b"http://a@b/", b"http://a,b/",
    b"javascript:alert(1)", b"http://[::1/", b"http://app.example.com:99999/", b"get", b"GET POST", b"\xc3\xa9",
    b"../..", b"http://app.example.com/%ff", b"http://app.example.com/...", b"ftp://app.example.com/", b"x" * 5000,
    b"http://\xf0\x9f\x98\x80/", b"http://app.example.com/\x80", b"http://app.example.com/a#b", b"\t", b"null",
)  # fmt: skip
_CREDENTIALS = (
    b"Cookie: gateway_session=guess", b"Authorization: Bearer a.b.c", b"Authorization: Bearer lc_ak_guess",
    b"Authorization: Basic OjpAQA==", b"X-API-Key: lc_ak_", b"X-API-Key: \xff", b"Cookie: \xff\xfe; gateway_session",
    b"Authorization: Bearer eyJpc3MiOiJ4In0.eyJpc3MiOiJ4In0.", b"X-Forwarded-For: not an address, ,",
)  # fmt: skip


@pytest.mark.usefixtures("lane")
async def test_thousands_of_malformed_checks_are_all_refused(gateway: Gateway) -> None:
    """A1, A4."""
    seed = random.randrange(2**32)  # noqa: S311 - printed, so that it can be repeated
    print(f"seed {seed}")  # noqa: T201 - shown when the test fails
    dice = random.Random(seed)  # noqa: S311 - repeatable on purpose
    requests = [_malformed(dice) for _ in range(CHECKS)]
    shares = [requests[number::CONNECTIONS] for number in range(CONNECTIONS)]
    statuses = Counter[int]()
    for counted in await asyncio.gather(*[_ask_all(gateway.url, share) for share in shares]):
        statuses += counted
    assert statuses.total() == CHECKS
    assert not [status for status in statuses if status < 300 or status >= 500], statuses


def _malformed(dice: random.Random) -> bytes:
    """Break one thing at least: a value, its number, its spelling."""
    endpoint = dice.choice(list(_FAMILIES))
    lines = [(name.encode(), value) for name, value in _FAMILIES[endpoint].items()]
    place = dice.randrange(len(lines))
    name, value = lines[place]
    match dice.randrange(4):
        case 0:
            lines[place] = (name, dice.choice(_HOSTILE))
        case 1:
            del lines[place]
        case 2:
            lines.append((name, value))
        case _:
            lines.append((name.replace(b"-", dice.choice((b"_", b".")), 1), value))
    dice.shuffle(lines)
    more = dice.sample(_CREDENTIALS, dice.randrange(3))
    head = [b"GET /api/authz/%s HTTP/1.1" % endpoint.encode(), b"Host: gateway", *(b": ".join(line) for line in lines)]
    return b"\r\n".join([*head, *more, b"", b""])


async def _ask_all(url: str, requests: list[bytes]) -> Counter[int]:
    statuses = Counter[int]()
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    for request in requests:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
        await reader.readexactly(int(fields[b"content-length"]))
        statuses[int(head.split(b" ", 2)[1])] += 1
        if fields.get(b"connection") == b"close":
            writer.close()
            reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.close()
    await writer.wait_closed()
    return statuses
