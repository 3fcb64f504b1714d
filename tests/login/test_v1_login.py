"""Logging in as LangSmith's clients do."""

from __future__ import annotations

from base64 import b64encode
from http import HTTPStatus
from typing import Any

import pytest
from aiohttp import ClientResponse

from gateway.openapi.answers import V1ErrorAnswer
from gateway.openapi.member_answers import AccessTokenAnswer
from tests.support.commands import run_command
from tests.support.gateway import ADMIN_EMAIL, ADMIN_PASSWORD, Gateway
from tests.support.second_factor import enrol

LOGIN = "/api/v1/login"


def basic(email: str, password: str) -> str:
    return f"Basic {b64encode(f'{email}:{password}'.encode()).decode()}"


async def post(gateway: Gateway, *, headers: dict[str, str] | None = None, **sent: Any) -> ClientResponse:  # noqa: ANN401 - any body
    return await gateway.client.post(f"{gateway.url}{LOGIN}", headers=headers, **sent)


WAYS: dict[str, dict[str, Any]] = {
    "JSON": {"json": {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}},
    "JSON, username": {"json": {"username": ADMIN_EMAIL.upper(), "password": ADMIN_PASSWORD}},
    "form": {"data": {"username": ADMIN_EMAIL, "password": ADMIN_PASSWORD, "grant_type": "password"}},
    "form, email": {"data": {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}},
    "Basic": {"headers": {"Authorization": basic(ADMIN_EMAIL, ADMIN_PASSWORD)}},
}


@pytest.mark.parametrize("way", WAYS)
async def test_every_way_gives_an_access_token_and_no_cookie(gateway: Gateway, way: str) -> None:
    response = await post(gateway, **WAYS[way])
    body = await response.json()
    assert response.status == HTTPStatus.OK, body
    AccessTokenAnswer.model_validate(body)
    assert "Set-Cookie" not in response.headers
    assert body["expires_in"] == 15 * 60
    bearer = f"Bearer {body['access_token']}"
    assert (await gateway.check(Authorization=bearer)).headers["Remote-Email"] == ADMIN_EMAIL
    sessions = await (await gateway.ask("/api/auth/sessions", Authorization=bearer)).json()
    assert [session["current"] for session in sessions] == [True]
    assert (await gateway.ask("/api/auth/logout", method="POST", Authorization=bearer)).status == HTTPStatus.OK
    assert (await gateway.check(Authorization=bearer)).status == HTTPStatus.UNAUTHORIZED


WRONG: dict[str, tuple[dict[str, Any], int]] = {
    "password": ({"json": {"email": ADMIN_EMAIL, "password": "wrong"}}, 401),
    "nobody": ({"json": {"email": "nobody@example.com", "password": "wrong"}}, 401),
    "form": ({"data": {"username": ADMIN_EMAIL, "password": "wrong"}}, 401),
    "Basic": ({"headers": {"Authorization": basic(ADMIN_EMAIL, "wrong")}}, 401),
    "Basic, no address": ({"headers": {"Authorization": basic("admin", "wrong")}}, 401),
    "Basic, no password": ({"headers": {"Authorization": basic(ADMIN_EMAIL, "")}}, 401),
    "Basic, no base64": ({"headers": {"Authorization": "Basic §"}}, 401),
    "Basic, no UTF-8": ({"headers": {"Authorization": f"Basic {b64encode(bytes([0xFF, 0x3A])).decode()}"}}, 401),
    "nothing": ({}, 422),
    "no address": ({"json": {"password": "x"}}, 422),
    "no password": ({"json": {"email": ADMIN_EMAIL}}, 422),
    "a list": ({"json": [1]}, 400),
    "another site": ({"json": {}, "headers": {"Origin": "https://evil.example"}}, 403),
}


@pytest.mark.parametrize("what", WRONG)
async def test_refusal_has_the_shape_that_langsmith_reads(gateway: Gateway, what: str) -> None:
    sent, status = WRONG[what]
    response = await post(gateway, **sent)
    body = await response.json()
    assert response.status == status, body
    V1ErrorAnswer.model_validate(body)


async def test_guessing_is_throttled_with_every_other_way_in(gateway: Gateway) -> None:
    """L6: however the ways are mixed."""
    wrong = [WRONG[what][0] for what in ("password", "form", "Basic", "password", "form")]
    assert {(await post(gateway, **sent)).status for sent in wrong} == {HTTPStatus.UNAUTHORIZED}
    for way in WAYS.values():
        assert (await post(gateway, **way)).status == HTTPStatus.TOO_MANY_REQUESTS
    assert (await gateway.log_in()).status == HTTPStatus.TOO_MANY_REQUESTS


async def test_second_factor_has_no_place_here(gateway: Gateway) -> None:
    """ASVS 6.3.3: the password alone opens nothing."""
    await enrol(gateway)
    for way in WAYS.values():
        response = await post(gateway, **way)
        body = await response.json()
        assert (response.status, body["code"]) == (HTTPStatus.UNAUTHORIZED, "second_factor_required")
        assert "Set-Cookie" not in response.headers
        assert "tempToken" not in body


async def test_handed_password_opens_only_its_own_change(gateway: Gateway) -> None:
    added = (await run_command(gateway, "member", "add", "ann@example.com", "--json")).json
    response = await post(gateway, json={"email": "ann@example.com", "password": added["password"]})
    bearer = f"Bearer {(await response.json())['access_token']}"
    assert (await gateway.ask("/api/v1/orgs", Authorization=bearer)).status == HTTPStatus.FORBIDDEN
    assert (await gateway.check(Authorization=bearer)).status == HTTPStatus.UNAUTHORIZED
    change = {"current_password": added["password"], "password": "rope-lantern-41"}
    response = await gateway.client.patch(
        f"{gateway.url}/api/v1/orgs/members/basic", json=change, headers={"Authorization": bearer}
    )
    assert response.status == HTTPStatus.OK
    assert (await gateway.check(Authorization=bearer)).status == HTTPStatus.OK
