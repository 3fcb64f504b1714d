"""How refusals read, and what every answer carries."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from gateway.storage.database import Database
from tests.support.gateway import Gateway


@pytest.mark.parametrize("path", ["/nothing", "/api/nothing", "/api/authz/nothing", "/login/x", "/%00", "/static/../x"])
async def test_unknown_paths_are_not_found(gateway: Gateway, path: str) -> None:
    response = await gateway.ask(path)
    assert response.status == HTTPStatus.NOT_FOUND
    assert (await response.json())["code"] == "not_found"


async def test_browsers_read_a_page_and_programs_json(gateway: Gateway) -> None:
    page = await gateway.ask("/nothing", Accept="text/html,*/*;q=0.8")
    assert page.content_type == "text/html"
    assert page.headers["X-Request-Id"] in await page.text()
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert (await gateway.ask("/api/nothing", Accept="text/html")).content_type == "application/json"


async def test_wrong_method_is_told_the_right_ones(gateway: Gateway) -> None:
    response = await gateway.ask("/api/auth/login", method="DELETE")
    assert response.status == HTTPStatus.METHOD_NOT_ALLOWED
    assert response.headers["Allow"] == "POST"


async def test_every_answer_has_an_id_and_is_not_stored(gateway: Gateway) -> None:
    ids = set()
    for path in ("/login", "/nothing", "/api/user", "/healthz", "/api/authz/auth-request"):
        response = await gateway.ask(path)
        assert response.headers["Cache-Control"] == "no-store", path
        assert response.headers["Server"] == "gateway"
        ids.add(response.headers["X-Request-Id"])
    assert len(ids) == 5


async def test_static_files_with_a_version_are_kept_by_browsers(gateway: Gateway) -> None:
    assert "immutable" in (await gateway.ask("/static/gateway.css?v=1")).headers["Cache-Control"]
    assert (await gateway.ask("/static/gateway.css")).headers["Cache-Control"] == "no-store"
    assert (await gateway.ask("/static/nothing.css?v=1")).headers["Cache-Control"] == "no-store"


async def test_an_error_of_ours_is_logged_and_tells_nothing(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """W3."""

    def broken(_database: Database) -> None:
        message = "hush: SELECT * FROM accounts"
        raise RuntimeError(message)

    monkeypatch.setattr(Database, "read", broken)
    response = await gateway.log_in()
    body = await response.text()
    assert response.status == HTTPStatus.INTERNAL_SERVER_ERROR
    assert "hush" not in body
    assert response.headers["X-Request-Id"] in body
    printed = capsys.readouterr()
    assert response.headers["X-Request-Id"] in printed.out + printed.err
    assert "hush" in printed.out + printed.err


async def test_check_answers_503_when_we_break(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """A1."""
    session = await gateway.session()

    def broken(_database: Database, *_asked: object) -> None:
        raise RuntimeError

    for way in ("look_up_at_once", "look_up", "read"):
        monkeypatch.setattr(Database, way, broken)
    response = await gateway.check(Cookie=session.cookie)
    assert response.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert response.headers["Retry-After"]


async def test_denied_page_shows_who_and_which_decision(gateway: Gateway) -> None:
    session = await gateway.session()
    navigation = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    page = await gateway.ask("/denied/0a1b2c?reason=forbidden", Cookie=session.cookie, **navigation)
    text = await page.text()
    assert page.status == HTTPStatus.FORBIDDEN
    assert "0a1b2c" in text
    assert "admin@example.com" in text
    program = await gateway.ask("/denied/0a1b2c?reason=%3Cscript%3E")
    assert program.status == HTTPStatus.FORBIDDEN
    assert await program.json() == {
        "error": "Forbidden",
        "message": "You are not allowed to do this.",
        "code": "forbidden",
        "decision_id": "0a1b2c",
    }
    assert (await gateway.ask("/denied/<script>", **navigation)).status == HTTPStatus.NOT_FOUND
