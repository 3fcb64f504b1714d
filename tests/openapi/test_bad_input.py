"""Bodies that are not what a route takes: each is refused with the cause, and nothing of it is told to anybody."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData

from gateway.openapi.curl import example_of
from gateway.openapi.schemas import resolve
from tests.support.forms import Person
from tests.support.gateway import ADMIN_PASSWORD, Gateway, LoggedIn, environment, start_gateway
from tests.support.raw_http import RawAnswer, exchange, request_bytes
from tests.support.routes import routes_of, unserved_app

# Placed wherever a secret may be sent: it is found in no answer and in no line of the log.
CANARY = "canary-5d41402abc4b2a76"
_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_SECRET = json.dumps({"password": CANARY, "token": CANARY, "email": f"{CANARY}@example.com"}).encode()

# What is sent, as which type, and the status of the refusal.
UNREADABLE: dict[str, tuple[bytes, str, int]] = {
    "cut off": (_SECRET[:-1], _JSON, 400),
    "trailing garbage": (_SECRET + b"}", _JSON, 400),
    "two documents": (_SECRET + b"\n" + _SECRET, _JSON, 400),
    "array": (b"[" + _SECRET + b"]", _JSON, 400),
    "text": (f'"{CANARY}"'.encode(), _JSON, 400),
    "null": (b"null", _JSON, 400),
    "number": (b"5", _JSON, 400),
    "byte order mark": (b"\xef\xbb\xbf" + _SECRET, _JSON, 400),
    "UTF-16": (_SECRET.decode().encode("utf-16"), _JSON, 400),
    "raw invalid UTF-8": (b'{"password": "' + CANARY.encode() + b'\xff\xfe"}', _JSON, 400),
    "raw surrogate": (b'{"password": "' + CANARY.encode() + b'\xed\xa0\x80"}', _JSON, 400),
    "escaped lone surrogate": (f'{{"password": "{CANARY}\\ud800"}}'.encode(), _JSON, 400),
    "lone surrogate in an unknown field": (f'{{"{CANARY}\\uDC00": 1}}'.encode(), _JSON, 400),
    "key twice": (f'{{"password": "{CANARY}", "password": "x"}}'.encode(), _JSON, 400),
    "key twice, spelt differently": (f'{{"token": "{CANARY}", "\\u0074oken": "x"}}'.encode(), _JSON, 400),
    "key twice below": (f'{{"more": {{"a": "{CANARY}", "a": 1}}}}'.encode(), _JSON, 400),
    "deep array": (b'{"password": ' + b"[" * 60_000, _JSON, 400),
    "deep object": (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, _JSON, 400),
    "100,000 deep": (b"[" * 100_000 + b"]" * 100_000, _JSON, 413),
    "number of 5,000 digits": (b'{"password": ' + b"9" * 5_000 + b"}", _JSON, 400),
    "NaN": (b'{"password": NaN}', _JSON, 400),
    "infinity": (b'{"password": -Infinity}', _JSON, 400),
    "1 MiB of text": (b'{"password": "' + b"x" * 1024 * 1024 + b'"}', _JSON, 413),
    "1 MiB of spaces": (b" " * 1024 * 1024, _JSON, 413),
    "form": (f"password={CANARY}".encode(), _FORM, 415),
    "multipart": (
        f'--x\r\nContent-Disposition: form-data; name="password"\r\n\r\n{CANARY}\r\n--x--\r\n'.encode(),
        "multipart/form-data; boundary=x",
        415,
    ),
    "JSON called text": (_SECRET, "text/plain", 415),
}
UNREADABLE_FORMS: dict[str, tuple[bytes, str, int]] = {
    "too many fields": ("&".join(f"{CANARY}{number}=x" for number in range(200)).encode(), _FORM, 400),
    "raw invalid UTF-8": (f"password={CANARY}".encode() + b"\xff", _FORM, 400),
    "escaped invalid UTF-8": (f"password={CANARY}%FF".encode(), _FORM, 400),
    "escaped surrogate": (f"password={CANARY}%ED%A0%80".encode(), _FORM, 400),
    "multipart": UNREADABLE["multipart"],
    "JSON": (_SECRET, _JSON, 415),
    "1 MiB": (b"password=" + b"x" * 1024 * 1024, _FORM, 413),
}
# What one route takes and all others do not.
_TAKEN = {("/api/v1/login", "form")}
# Values that a field of this type cannot take.
WRONG_VALUES: dict[str, list[object]] = {
    "string": [5, True, None, [CANARY], {"$ne": CANARY}, float("inf"), 10**4000],
    "boolean": [[True], {"a": CANARY}, CANARY, 7, float("inf")],
    "integer": [CANARY, [1], {"a": CANARY}, float("inf"), 10**4000, -(10**4000), 1.5],
    "array": [CANARY, 5, {"a": CANARY}, [5], [[CANARY]], [None]],
}


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    """Run a gateway on which everything that takes a body is switched on, and no limit is ever reached."""
    limits = ("LOGIN", "REGISTER", "RESET_PASSWORD", "VERIFY_EMAIL", "TWO_FACTOR_TEMP")
    more = {f"{name}_MAX": "1000000" for name in limits}
    environ = environment(tmp_path, **more, ALLOW_REGISTRATION="true", ALLOW_PASSWORD_RESET="true")
    async with start_gateway(environ) as running:
        yield running


@pytest.fixture
def told_nobody(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[str], None]]:
    """Take answers, and look for the canary in all of them and in all that was logged."""
    answers: list[str] = []
    yield answers.append
    printed = capfd.readouterr()
    assert answers
    assert not [text for text in answers if CANARY in text]
    assert CANARY not in printed.out + printed.err + caplog.text
    assert "internal_error" not in printed.out + printed.err


async def _body_routes(gateway: Gateway, session: LoggedIn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give the document, and each path that takes a body with the schema of it."""
    document = await (await gateway.ask("/openapi.json")).json()
    # Of a workspace that one is not in nothing is told, whatever was sent.
    workspaces = await (await gateway.ask("/api/v1/workspaces", Authorization=session.bearer)).json()
    schemas = {
        re.sub(r"\{\w+\}", "none", path.replace("{workspace_id}", workspaces[0]["id"])): resolve(
            document, methods["post"]["requestBody"]["content"][_JSON]["schema"]
        )
        for path, methods in document["paths"].items()
        if "requestBody" in methods.get("post", {})
    }
    # Lists of rows have tests of their own: tests/organization/test_members_api.py.
    return document, {path: schema for path, schema in schemas.items() if schema["type"] == "object"}


async def _send(gateway: Gateway, session: LoggedIn, path: str, *, body: bytes, content_type: str) -> tuple[int, str]:
    headers = {"Content-Type": content_type, "Authorization": session.bearer}
    response = await gateway.client.post(f"{gateway.url}{path}", data=BytesIO(body), headers=headers)
    return response.status, await response.text()


async def test_what_cannot_be_read_is_refused_with_the_cause(
    gateway: Gateway, told_nobody: Callable[[str], None]
) -> None:
    """N3, W3, W5: depth, numbers and size are bounded, and nothing of what was sent is told or logged."""
    session = await gateway.session()
    _, routes = await _body_routes(gateway, session)
    assert {"/api/auth/login", "/api/api-keys"} <= set(routes)
    wrong = {}
    for path in routes:
        for name, (body, content_type, expected) in UNREADABLE.items():
            status, text = await _send(gateway, session, path, body=body, content_type=content_type)
            told_nobody(text)
            if (path, name) in _TAKEN:
                continue
            if status != expected or not {"error", "message", "code"} <= set(json.loads(text)):
                wrong[path, name] = status, text
    assert not wrong


async def test_value_of_a_wrong_type_is_refused_and_its_field_named(
    gateway: Gateway, told_nobody: Callable[[str], None]
) -> None:
    session = await gateway.session()
    document, routes = await _body_routes(gateway, session)
    wrong = {}
    for path, schema in routes.items():
        for field, value in _wrong_fields(schema):
            is_code = "/2fa/" in path and field in {"token", "backupCode"}
            good = {name: example_of(document, part) for name, part in schema["properties"].items()}
            sent = {**({} if is_code else good), field: value}
            body = json.dumps(sent).replace("Infinity", "1e400").encode()
            status, text = await _send(gateway, session, path, body=body, content_type=_JSON)
            told_nobody(text)
            # A code is tried as whatever it is: one that is no text is a wrong one, and counted as that.
            tried = is_code and status in {400, 401, 429}
            refused = 422 if path.startswith("/api/v1/") else 400
            if not tried and (status != refused or field not in json.loads(text).get("fields", {})):
                wrong[path, field, str(value)[:20]] = status, text
    assert not wrong


def _wrong_fields(schema: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    for field, part in schema["properties"].items():
        kinds = {kind.get("type", "object") for kind in part.get("anyOf", [part])}
        for kind in kinds & set(WRONG_VALUES):
            for value in WRONG_VALUES[kind]:
                # A code of null is none.
                if value is not None or not ("null" in kinds or field in {"token", "backupCode"}):
                    yield field, value


async def test_nul_in_any_text_is_never_an_error_of_ours(gateway: Gateway, told_nobody: Callable[[str], None]) -> None:
    """PostgreSQL stores no NUL."""
    session = await gateway.session()
    _, routes = await _body_routes(gateway, session)
    wrong = {}
    for path, schema in routes.items():
        body = json.dumps(dict.fromkeys(schema["properties"], f"{CANARY}\x00")).encode()
        status, text = await _send(gateway, session, path, body=body, content_type=_JSON)
        told_nobody(text)
        # Where no second factor is on, a code is looked at as little as a field that is not known.
        if not 400 <= status < 500 and path != "/api/auth/2fa/enable":
            wrong[path] = status, text
    assert not wrong


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", _FORM, "no type at all"])
async def test_empty_body_counts_as_an_empty_object_whatever_its_type(gateway: Gateway, content_type: str) -> None:
    for body in (b"", b" \r\n"):
        response = await gateway.client.post(
            f"{gateway.url}/api/auth/login", data=body, headers={"Content-Type": content_type}
        )
        assert response.status == 400
        assert set((await response.json())["fields"]) == {"email", "password"}


async def test_unknown_fields_are_ignored(gateway: Gateway) -> None:
    body = {"email": "admin@example.com", "password": ADMIN_PASSWORD, "turnstileToken": {"deep": [[1e300]]}}
    response = await gateway.client.post(f"{gateway.url}/api/auth/login", json=body)
    assert response.status == 200


async def test_forms_that_cannot_be_read_are_refused_with_the_cause(
    gateway: Gateway, tmp_path: Path, told_nobody: Callable[[str], None]
) -> None:
    session = await gateway.session()
    async with unserved_app(tmp_path / "other") as app:
        pages = sorted(path for method, path in routes_of(app) if method == "POST" and not path.startswith("/api/"))
    assert {"/login", "/setup", "/change-password"} <= set(pages)
    wrong = {}
    for path in pages:
        for name, (body, content_type, expected) in UNREADABLE_FORMS.items():
            headers = {"Content-Type": content_type, "Cookie": session.cookie, "Accept": "text/html"}
            response = await gateway.client.post(
                f"{gateway.url}{path}", data=BytesIO(body), headers=headers, allow_redirects=False
            )
            text = await response.text()
            told_nobody(text)
            if response.status != expected or response.content_type != "text/html":
                wrong[path, name] = response.status, text
    assert not wrong


async def test_of_a_form_field_that_came_twice_the_first_counts(gateway: Gateway) -> None:
    person = Person(gateway)
    page = await person.open("/login")
    token = (await page.text()).partition('name="form_token" value="')[2].partition('"')[0]
    pairs = [("form_token", token), ("email", "admin@example.com"), ("password", ADMIN_PASSWORD), ("password", "no")]
    cookies = "; ".join(f"{name}={value}" for name, value in person.cookies.items())
    response = await gateway.client.post(
        f"{gateway.url}/login", data=FormData(pairs), headers={"Cookie": cookies}, allow_redirects=False
    )
    assert response.status == 303


@pytest.mark.parametrize(
    ("lines", "body", "statuses"),
    [
        (["Content-Length: 20"], b'{"password": "x"}' + b" " * 30, {400}),
        (["Content-Length: 5"], _SECRET, {400}),
        (["Content-Length: -1"], _SECRET, {400}),
        (["Content-Length: 0x10"], _SECRET, {400}),
        (["Content-Length: 5", "Content-Length: 6"], _SECRET, {400}),
        (["Content-Length: 9999999999999999999999"], _SECRET, {400, 413}),
        (["Transfer-Encoding: chunked", "Content-Length: 5"], b"0\r\n\r\n", {400}),
        (["Transfer-Encoding: chunked"], b"0\r\n\r\n", {400}),
        (["Transfer-Encoding: chunked"], b"2\r\n{}\r\n0\r\n\r\n", {400}),
        (["Transfer-Encoding: chunked"], b"zz\r\n{}\r\n0\r\n\r\n", {400}),
        (["Transfer-Encoding: chunked"], b"FFFFFFFFFFFFFFFFFF\r\n{}", {400, 413}),
        (["Transfer-Encoding: chunked"], b"20000\r\n" + b" " * 0x20000 + b"\r\n0\r\n\r\n", {413}),
        (["Transfer-Encoding: gzip"], _SECRET, {400, 415}),
        (["Content-Encoding: gzip", "Content-Length: 2"], b"{}", {415}),
    ],
)
async def test_bodies_that_are_not_framed_as_announced_are_refused(
    gateway: Gateway, told_nobody: Callable[[str], None], lines: list[str], body: bytes, statuses: set[int]
) -> None:
    answer = await _exchange(gateway, lines, body)
    told_nobody(answer.body.decode())
    assert answer.status in statuses
    assert (await gateway.ask("/healthz")).status == 200


async def _exchange(gateway: Gateway, lines: list[str], body: bytes) -> RawAnswer:
    head = request_bytes("POST /api/auth/login", "Host: localhost", "Content-Type: application/json", *lines)
    port = int(gateway.url.rpartition(":")[2])
    return await asyncio.to_thread(exchange, port, head + body)


async def test_client_that_hangs_up_within_its_body_leaves_no_trace(
    gateway: Gateway, told_nobody: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.web.bodies._BODY_DEADLINE", timedelta(milliseconds=200))
    reader, writer = await asyncio.open_connection("127.0.0.1", int(gateway.url.rpartition(":")[2]))
    head = request_bytes("POST /api/auth/login", "Host: x", "Content-Type: application/json", "Content-Length: 5000")
    writer.write(head + _SECRET)
    await writer.drain()
    writer.write_eof()
    told_nobody((await reader.read()).decode())
    writer.close()
    await writer.wait_closed()
    assert (await gateway.ask("/healthz")).status == 200
