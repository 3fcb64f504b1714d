"""The document says what the router does, and the answers are as it says."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse
from pydantic import TypeAdapter

from gateway.openapi.answers import (
    ApiKeyAnswer,
    BackupCodesAnswer,
    CheckRefusal,
    ConfigAnswer,
    EnrolmentAnswer,
    ErrorAnswer,
    HealthAnswer,
    MessageAnswer,
    NewApiKey,
    ReadinessAnswer,
    SecondFactorPending,
    SessionAnswer,
    Shape,
    TokenAnswer,
    User,
    V1ErrorAnswer,
    VerifiedAnswer,
)
from tests.support.axe import Onlooker
from tests.support.browser import open_browser
from tests.support.gateway import Gateway, LoggedIn, environment, start_gateway
from tests.support.newcomers import EMAIL, mailed_link, open_door, post, register, request_reset, reset, verify
from tests.support.routes import routes_of, unserved_app
from tests.support.second_factor import App, ask_api, finish, half_log_in

JSON = "application/json"
# Asked by balancers and orchestrators, and needed nowhere else.
HEALTH = {("GET", "/healthz"), ("GET", "/readyz")}


async def _document(gateway: Gateway) -> dict[str, Any]:
    response = await gateway.ask("/openapi.json")
    assert response.status == HTTPStatus.OK
    assert response.content_type == JSON
    document: dict[str, Any] = await response.json()
    return document


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def _responses(document: dict[str, Any]) -> Iterator[tuple[str, int, dict[str, Any]]]:
    for method, path, operation in _operations(document):
        for status, response in operation["responses"].items():
            name = response.get("$ref", "").rpartition("/")[2]
            yield f"{method} {path}", int(status), document["components"]["responses"][name] if name else response


async def test_document_and_router_name_the_same_routes(gateway: Gateway, tmp_path: Path) -> None:
    document = await _document(gateway)
    described = {
        ("*" if operation.get("x-internal") else method, path) for method, path, operation in _operations(document)
    }
    async with unserved_app(tmp_path / "other") as app:
        routed = routes_of(app)
    assert described <= routed
    assert {route for route in routed if route[1].startswith("/api/")} <= described
    assert routed - described == {route for route in routed if not route[1].startswith("/api/")} - HEALTH


async def test_every_reference_leads_somewhere_and_every_name_is_used_once(gateway: Gateway) -> None:
    document = await _document(gateway)
    text = (await (await gateway.ask("/openapi.json")).read()).decode()
    for reference in set(re.findall(r'"\$ref":"([^"]*)"', text)):
        found: Any = document
        for name in reference.removeprefix("#/").split("/"):
            found = found[name]
        assert found
    ids = [operation["operationId"] for _, _, operation in _operations(document)]
    assert len(ids) == len(set(ids))
    assert document["openapi"].startswith("3.1")
    assert {operation["tags"][0] for _, _, operation in _operations(document)} == {
        tag["name"] for tag in document["tags"]
    }


async def test_every_operation_says_what_it_refuses(gateway: Gateway) -> None:
    document = await _document(gateway)
    for method, path, operation in _operations(document):
        statuses = {int(status) for status in operation["responses"]}
        # There is one organization, and there will be no other.
        assert any(status < 400 for status in statuses) or (method, path) == ("POST", "/api/v1/orgs"), path
        if ("GET", path) not in HEALTH:
            assert 503 in statuses, path
        if "requestBody" in operation and not operation.get("x-internal"):
            assert statuses >= {400, 408, 413, 415}, path
        if {"accessToken": []} in operation["security"]:
            assert statuses >= {401, 403} or (method, path) in {
                ("GET", "/api/user"),
                ("POST", "/api/auth/changePassword"),
            }, path


async def test_refusals_have_one_shape_and_carry_what_programs_go_by(gateway: Gateway) -> None:
    document = await _document(gateway)
    for operation, status, response in _responses(document):
        assert response["headers"]["X-Request-Id"]["required"], operation
        if status < 400 or operation == "GET /readyz":
            continue
        schema = response["content"][JSON]["schema"]["$ref"].rpartition("/")[2]
        model: type[Shape] = V1ErrorAnswer if schema == "V1ErrorAnswer" else ErrorAnswer
        assert schema in {model.__name__, "CheckRefusal"}, operation
        for example in response["content"][JSON].get("examples", {}).values():
            model.model_validate(example["value"])
        if schema != "CheckRefusal" and status in {429, 503}:
            assert response["headers"]["Retry-After"]["required"], operation
        if schema != "CheckRefusal" and status == 429:
            assert {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"} <= set(response["headers"])


async def test_answers_may_grow_but_are_never_null_where_nothing_says_so(gateway: Gateway) -> None:
    schemas = (await _document(gateway))["components"]["schemas"]
    assert "additionalProperties" not in schemas["User"]
    assert schemas["ScopeBody"]["additionalProperties"] is False
    assert schemas["ErrorAnswer"]["properties"]["code"]["type"] == "string"
    assert "default" not in schemas["ErrorAnswer"]["properties"]["code"]
    assert "code" not in schemas["ErrorAnswer"]["required"]


async def test_document_is_fetched_again_only_when_it_changed(gateway: Gateway) -> None:
    etag = (await gateway.ask("/openapi.json")).headers["ETag"]
    for known in (etag, f'"x", {etag}', f"W/{etag}", "*"):
        again = await gateway.ask("/openapi.json", If_None_Match=known)
        assert (again.status, await again.read()) == (HTTPStatus.NOT_MODIFIED, b""), known
    assert (await gateway.ask("/openapi.json", If_None_Match='"x"')).status == HTTPStatus.OK


async def take(model: Any, response: ClientResponse, status: int = 200) -> Any:  # noqa: ANN401 - whatever was answered
    """Hold an answer against its model, which takes no field that it does not know."""
    body = await response.json()
    assert response.status == status, body
    TypeAdapter(model).validate_python(body)
    return body


async def test_real_answers_have_exactly_the_documented_fields(gateway: Gateway) -> None:
    await take(TokenAnswer, await gateway.log_in())
    session = await gateway.session()

    async def ask(method: str, path: str, body: dict[str, object] | None = None) -> ClientResponse:
        headers = {"Authorization": session.bearer}
        return await gateway.client.request(method, f"{gateway.url}{path}", headers=headers, json=body)

    await take(User, await ask("GET", "/api/user"))
    scopes = [{"host": "app.example.com", "path": "/a/**", "methods": ["GET"]}, {"path": "/b"}]
    made = await take(NewApiKey, await ask("POST", "/api/api-keys", {"name": "deploy", "scopes": scopes}), 201)
    assert await take(list[ApiKeyAnswer], await ask("GET", "/api/api-keys"))
    await take(ApiKeyAnswer, await ask("GET", f"/api/api-keys/{made['id']}"))
    await take(NewApiKey, await ask("POST", f"/api/api-keys/{made['id']}/rotate", {}), 201)
    assert await take(list[SessionAnswer], await ask("GET", "/api/auth/sessions"))
    await take(MessageAnswer, await ask("POST", "/api/auth/sessions/revoke-others"))
    await take(ConfigAnswer, await ask("GET", "/api/config"))
    await take(HealthAnswer, await ask("GET", "/healthz"))
    await take(ReadinessAnswer, await ask("GET", "/readyz"))
    await take(CheckRefusal, await ask("GET", "/api/authz/auth-request"), 403)
    await take(MessageAnswer, await ask("POST", "/api/auth/logout"))


async def test_refusals_have_exactly_the_documented_fields(gateway: Gateway) -> None:
    for method, path, status in (
        ("POST", "/api/auth/login", 400),
        ("POST", "/api/auth/refresh", 403),
        ("POST", "/api/auth/register", 403),
        ("POST", "/api/auth/2fa/verify-temp", 400),
        ("GET", "/api/user", 401),
        ("DELETE", "/api/user", 405),
        ("GET", "/api/nothing", 404),
    ):
        await take(ErrorAnswer, await gateway.ask(path, method=method), status)


async def test_answers_about_the_second_factor_have_exactly_the_documented_fields(gateway: Gateway) -> None:
    session = await gateway.session()
    begun = await take(EnrolmentAnswer, await ask_api(gateway, "enable", session=session))
    app = App(begun["secret"], begun["backupCodes"])
    for path in ("verify", "confirm"):
        await take(MessageAnswer, await ask_api(gateway, path, {"token": app.code()}, session=session))
    await take(SecondFactorPending, await gateway.log_in())
    finished = await finish(gateway, await half_log_in(gateway), app.recovery_codes[0])
    proven = LoggedIn(cookie="", token=(await take(TokenAnswer, finished))["token"])
    codes = await take(BackupCodesAnswer, await ask_api(gateway, "backup/regenerate", session=proven))
    await take(MessageAnswer, await ask_api(gateway, "disable", {"token": codes["backupCodes"][0]}, session=proven))


async def test_answers_to_newcomers_have_exactly_the_documented_fields(tmp_path: Path) -> None:
    async with start_gateway(open_door(tmp_path)) as gateway:
        await take(MessageAnswer, await register(gateway))
        await take(VerifiedAnswer, await verify(gateway, await mailed_link(gateway)))
        await take(MessageAnswer, await post(gateway, "/api/user/verify/resend", {"email": EMAIL}))
        await take(MessageAnswer, await request_reset(gateway))
        await take(MessageAnswer, await reset(gateway, await mailed_link(gateway, number=2)))


@pytest.fixture
async def renamed(tmp_path: Path) -> AsyncIterator[Gateway]:
    more = {"GATEWAY_SITE_NAME": "<b>Tom's</b>", "GATEWAY_PUBLIC_URL": "https://auth.example.com"}
    async with start_gateway(environment(tmp_path, **more)) as running:
        yield running


async def test_page_shows_every_operation_and_every_shape(renamed: Gateway) -> None:
    """W2, W1."""
    response = await renamed.ask("/docs")
    page = await response.text()
    document = await _document(renamed)
    assert response.content_type == "text/html"
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in response.headers
    for _, path, operation in _operations(document):
        assert f'id="{operation["operationId"]}"' in page
        assert f"https://auth.example.com{path}" in page
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)
    assert "<b>" not in page
    assert "&lt;b&gt;Tom&#39;s&lt;/b&gt;" in page


@pytest.mark.long
@pytest.mark.parametrize("javascript", [True, False])
async def test_page_is_read_by_everybody(gateway: Gateway, tmp_path: Path, javascript: bool) -> None:  # noqa: FBT001
    async with open_browser(javascript=javascript) as page:
        onlooker = Onlooker(page, tmp_path, javascript)
        await page.goto(f"{gateway.url}/docs")
        await page.get_by_role("link", name="POST /api/auth/login").click()
        assert page.url.endswith("#post_auth_login")
        article = page.get_by_role("article", name="Log in", exact=True)
        await article.get_by_text("Refusals").click()
        assert await article.get_by_text("email_not_verified").is_visible()
        # Longer than what a browser draws at once.
        await onlooker.look("docs", to_the_end=False)
