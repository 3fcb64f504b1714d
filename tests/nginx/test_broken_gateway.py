"""Answers that a healthy gateway does not give: a stand-in gives them, nginx has to pass them on as what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.stages import ALLOW
from tests.support.threaded_server import Reply

if TYPE_CHECKING:
    from tests.support.stages import StandIn


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
    stand_in: StandIn, reply: Reply, status: int, retry_after: str | None
) -> None:
    """A1."""
    stand_in.answer(lambda _: reply)
    answer = stand_in.site.ask("GET /")
    assert (answer.status, stand_in.passed) == (status, 0)
    assert answer.header("Retry-After") == retry_after
    assert answer.header("Location") is None


def test_second_try_decides_what_is_answered(stand_in: StandIn) -> None:
    replies = [Reply(None), Reply(429, (("Retry-After", "17"),))]
    stand_in.answer(lambda _: replies.pop(0))
    assert (stand_in.site.ask("GET /").status, stand_in.passed) == (429, 0)


def test_gateway_that_goes_away_before_its_page_is_unavailable(stand_in: StandIn) -> None:
    refused = Reply(403, (("X-Decision-Id", "d1"), ("X-Auth-Reason", "forbidden")))
    stand_in.answer(lambda received: refused if received.target.startswith("/api/authz/") else Reply(None))
    assert (stand_in.site.ask("GET /").status, stand_in.passed) == (503, 0)
    assert stand_in.gateway.received[-1].target == "/denied/d1?reason=forbidden"


def test_credential_that_the_check_names_ends_here(stand_in: StandIn) -> None:
    strip = ("X-Auth-Strip", "cookie, x-api-key")
    stand_in.answer(lambda _: Reply(200, (*ALLOW.headers, strip)))
    answer = stand_in.site.ask("GET /", "X-API-Key: lc_ak_1", "Authorization: Bearer theirs")
    names = {name for name, _ in answer.json["headers"]}
    assert "X-API-Key" not in names
    assert "Authorization" in names


def test_check_is_told_what_was_asked_and_nothing_that_was_forged(stand_in: StandIn) -> None:
    """A3: what the visitor sends in the names of the check never arrives there."""
    stand_in.answer(lambda _: ALLOW)
    names = (
        "X-Original-URL",
        "X-Original-Method",
        "X-Forwarded-For",
        "X_Original_URL",
        "X.Original.URL",
        "Remote-User",
    )
    stand_in.site.ask("POST /x?y=1", *[f"{name}: forged" for name in names], body=b"a=1")
    (check,) = stand_in.gateway.received
    assert check.target == "/api/authz/auth-request"
    assert check.values("X-Original-URL") == [f"http://app.example.com:{stand_in.site.port}/x?y=1"]
    assert check.values("X-Original-Method") == ["POST"]
    assert check.values("X-Forwarded-For") == ["127.0.0.1"]
    assert "forged" not in str(check.headers)
    assert check.values("Content-Length") == [], "a body that is not sent must not be announced"
