"""The application behind the gateway believes its headers, and shows them."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest
from aiohttp import ClientSession

from gateway.demo.application import application_running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LOG_OUT_URL = "http://localhost:9091/logout"
COMPLETIONS = "/api/agents/v1/chat/completions"
ALICE = {"Remote-User": "alice", "Remote-Name": "Alice Müller"}


@pytest.fixture
async def client() -> AsyncIterator[ClientSession]:
    async with application_running(log_out_url=LOG_OUT_URL) as address, ClientSession(address) as session:
        yield session


@pytest.mark.parametrize("path", ["/", "/public", "/members", "/admin"])
async def test_page_greets_by_name_and_shows_the_identity_headers(client: ClientSession, path: str) -> None:
    page = await (await client.get(path, headers=ALICE)).text()
    assert "Hello, Alice Müller" in page
    assert "Remote-User" in page
    assert f'href="{LOG_OUT_URL}"' in page


async def test_stranger_is_offered_to_log_in(client: ClientSession) -> None:
    page = await (await client.get("/public")).text()
    assert "Hello, stranger" in page
    assert LOG_OUT_URL not in page


async def test_header_cannot_write_the_page(client: ClientSession) -> None:
    page = await (await client.get("/", headers={"Remote-User": "<script>alert(1)</script>"})).text()
    assert "<script>" not in page


async def test_conversations_are_a_list(client: ClientSession) -> None:
    conversations = await (await client.get("/api/convos", headers=ALICE)).json()
    assert {conversation["user"] for conversation in conversations} == {"Alice Müller"}


async def test_completion_repeats_what_was_said(client: ClientSession) -> None:
    asked = {"model": "echo-1", "messages": [{"role": "user", "content": "good morning"}]}
    completion = await (await client.post(COMPLETIONS, json=asked, headers=ALICE)).json()
    assert completion["model"] == "echo-1"
    assert "good morning" in completion["choices"][0]["message"]["content"]
    assert (await client.get(COMPLETIONS)).status == HTTPStatus.OK


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"messages": []}', b'{"messages": [1]}', b'{"messages": {}}', b"\xff"]
)
async def test_completion_without_a_message_is_refused(client: ClientSession, body: bytes) -> None:
    answer = await client.post(COMPLETIONS, data=body)
    assert answer.status == HTTPStatus.BAD_REQUEST
    assert (await answer.json())["error"] == "Bad request"


async def test_every_header_is_shown_as_it_arrived(client: ClientSession) -> None:
    answer = await client.post("/headers", data=b"12345", headers={"x_odd": "1", **ALICE})
    shown = await answer.json()
    assert ["x_odd", "1"] in shown["headers"]
    assert ["Remote-Name", "Alice Müller"] in shown["headers"]
    assert (shown["method"], shown["body_length"]) == ("POST", 5)
