"""Answers that a healthy gateway does not give: a stand-in gives them, nginx has to pass them on as what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.demo.nginx import listen_on_loopback
from tests.support.nginx import portal_environment, settings_asking, site_behind_nginx
from tests.support.threaded_server import Received, Reply, answering

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.raw_http import RawAnswer

ALLOW = Reply(200, (("Remote-User", "alice"), ("X-Decision-Id", "d1")))


def ask_with(
    tmp_path: Path, answer: Callable[[Received], Reply], *lines: str, body: bytes = b""
) -> tuple[RawAnswer, int, list[Received]]:
    """Send a request past a gateway that answers so.

    Gives what came back, how many requests the application received, and those that the gateway did.
    """
    listener = listen_on_loopback(0)
    with answering(answer) as gateway:
        settings = settings_asking(gateway.port, portal_environment(tmp_path, listener))
        with site_behind_nginx(settings, listener) as site:
            received = site.ask("POST /" if body else "GET /", *lines, body=body)
            return received, len(site.application.received), gateway.received


@pytest.mark.parametrize(
    ("reply", "status", "retry_after"),
    [
        (Reply(429, (("Retry-After", "17"), ("X-Auth-Reason", "too_many_attempts"))), 429, "17"),
        (Reply(503, (("Retry-After", "9"),)), 503, "9"),
        (Reply(503), 503, "5"),
        (Reply(400), 400, None),
        (Reply(302, (("Location", "http://evil.example/"),)), 503, "5"),
        (Reply(500), 503, "5"),
        (Reply(None), 503, "5"),
        (Reply(403), 403, None),
    ],
    ids=str,
)
def test_answer_stays_what_it_was_and_nothing_passes(
    tmp_path: Path, reply: Reply, status: int, retry_after: str | None
) -> None:
    """A1."""
    answer, passed, _ = ask_with(tmp_path, lambda _: reply)
    assert (answer.status, passed) == (status, 0)
    assert answer.header("Retry-After") == retry_after
    assert answer.header("Location") is None


def test_check_whose_connection_broke_is_asked_once_more(tmp_path: Path) -> None:
    replies = [Reply(None), ALLOW]
    answer, passed, asked = ask_with(tmp_path, lambda _: replies.pop(0))
    assert (answer.status, passed, len(asked)) == (200, 1, 2)


def test_second_try_decides_what_is_answered(tmp_path: Path) -> None:
    replies = [Reply(None), Reply(429, (("Retry-After", "17"),))]
    answer, passed, _ = ask_with(tmp_path, lambda _: replies.pop(0))
    assert (answer.status, passed) == (429, 0)


def test_gateway_that_goes_away_before_its_page_is_unavailable(tmp_path: Path) -> None:
    refused = Reply(403, (("X-Decision-Id", "d1"), ("X-Auth-Reason", "forbidden")))
    answer, passed, asked = ask_with(
        tmp_path, lambda received: refused if received.target.startswith("/api/authz/") else Reply(None)
    )
    assert (answer.status, passed) == (503, 0)
    assert asked[-1].target == "/denied/d1?reason=forbidden"


def test_answer_headers_of_many_groups_fit(tmp_path: Path) -> None:
    groups = ",".join(f"group-{number}" for number in range(700))
    answer, _, _ = ask_with(tmp_path, lambda _: Reply(200, (*ALLOW.headers, ("Remote-Groups", groups))))
    assert ["Remote-Groups", groups] in answer.json["headers"]


def test_credential_that_the_check_names_ends_here(tmp_path: Path) -> None:
    strip = ("X-Auth-Strip", "cookie, x-api-key")
    answer, _, _ = ask_with(
        tmp_path, lambda _: Reply(200, (*ALLOW.headers, strip)), "X-API-Key: lc_ak_1", "Authorization: Bearer theirs"
    )
    names = {name for name, _ in answer.json["headers"]}
    assert "X-API-Key" not in names
    assert "Authorization" in names


def test_check_is_told_what_was_asked_and_nothing_that_was_forged(tmp_path: Path) -> None:
    """A3: what the visitor sends in the names of the check never arrives there."""
    names = ("X-Original-URL", "X-Original-Method", "X-Forwarded-For", "X_Original_URL", "Remote-User")
    _, _, asked = ask_with(tmp_path, lambda _: ALLOW, *[f"{name}: forged" for name in names], body=b"a=1")
    check = asked[0]
    assert check.target == "/api/authz/auth-request"
    assert check.values("X-Original-Method") == ["POST"]
    assert check.values("X-Forwarded-For") == ["127.0.0.1"]
    assert "forged" not in str(check.headers)
    assert check.values("Content-Length") == [], "a body that is not sent must not be announced"
