"""Another site's page, in the browser of whoever looks at it."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from pathlib import Path

import pytest

from tests.support.gateway import Gateway, environment, start_gateway

_OFFICE = {"X-Forwarded-For": "203.0.113.50"}
_EVIL = {**_OFFICE, "Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site", "Content-Type": "text/plain"}


@pytest.mark.parametrize(
    "path",
    [
        "/api/auth/register",
        "/api/user/verify",
        "/api/user/verify/resend",
        "/api/auth/requestPasswordReset",
        "/api/auth/resetPassword",
    ],
)
async def test_page_of_another_site_cannot_have_its_visitors_banned(tmp_path: Path, path: str) -> None:
    """S9: a form needs no leave to be sent, and its twenty-second sending would have locked out a whole office."""
    async with start_gateway(environment(tmp_path, ALLOW_REGISTRATION="true")) as gateway:
        statuses = {await _send(gateway, path) for _ in range(30)}
        assert statuses == {HTTPStatus.FORBIDDEN}
        await asyncio.sleep(0.2)
        assert (await gateway.log_in(**_OFFICE)).status == HTTPStatus.OK


async def _send(gateway: Gateway, path: str) -> int:
    return (await gateway.client.post(f"{gateway.url}{path}", data=b"x", headers=_EVIL)).status
