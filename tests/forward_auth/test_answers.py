"""What each proxy is told."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from gateway.config.identity_headers import PRESETS
from gateway.errors import (
    AnswerTooLarge,
    Forbidden,
    GatewayError,
    InvalidToken,
    MalformedRequest,
    PasswordChangeRequired,
    TokenExpired,
    TooManyAttempts,
    Unauthorized,
    Unavailable,
    UntrustedPeer,
)
from gateway.forward_auth.answers import Answer, Challenge, allow, ask_to_log_in, refuse
from gateway.forward_auth.identity_headers import IdentityHeaders
from gateway.forward_auth.original_request import Endpoint

LOGIN = "https://auth.example.com/login?rd=https%3A%2F%2Fapp.example.com%2F"
ID = "d3c1510n"


def headers_of(answer: Answer) -> dict[str, str]:
    """Give the headers by lower-case name; none comes twice, and each answer has those of every answer."""
    counts = Counter(name.lower() for name, _ in answer.headers)
    assert set(counts.values()) == {1}
    headers = {name.lower(): value for name, value in answer.headers}
    assert headers["cache-control"] == "no-store"
    assert headers["x-decision-id"] == ID
    assert "set-cookie" not in headers
    assert all(value.isprintable() and name.isascii() for name, value in answer.headers)
    return headers


def ask(
    endpoint: Endpoint, *, navigation: bool, method: str = "GET", reason: Unauthorized | None = None
) -> tuple[Answer, dict[str, str]]:
    challenge = Challenge(LOGIN, navigation, method, reason or Unauthorized())
    answer = ask_to_log_in(endpoint, challenge, decision_id=ID)
    return answer, headers_of(answer)


def body_of(answer: Answer) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(answer.body)
    return body


def test_allowed_is_exactly_200_without_a_byte_of_body() -> None:
    """A1, A8, B1."""
    answer = allow(IdentityHeaders(PRESETS["authelia"]).of(None), strip=(), decision_id=ID)
    headers = headers_of(answer)
    assert (answer.status, answer.body) == (200, b"")
    assert {name.lower() for name, _ in IdentityHeaders(PRESETS["authelia"]).of(None)} <= set(headers)
    assert not {"x-auth-strip", "x-auth-reason", "location", "content-type"} & set(headers)


@pytest.mark.parametrize(
    ("strip", "named"), [(("cookie",), {"cookie"}), (("cookie", "authorization"), {"cookie", "authorization"})]
)
def test_allowed_names_what_held_something_of_ours(strip: tuple[str, ...], named: set[str]) -> None:
    headers = headers_of(allow(IdentityHeaders(PRESETS["authelia"]).of(None), strip=strip, decision_id=ID))
    assert {name.strip() for name in headers["x-auth-strip"].split(",")} == named


@pytest.mark.parametrize(("navigation", "challenge"), [(True, "redirect"), (False, "json")])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nginx_gets_401_with_the_address_and_how_to_tell_it(navigation: bool, challenge: str, method: str) -> None:  # noqa: FBT001
    """A9."""
    answer, headers = ask(Endpoint.AUTH_REQUEST, navigation=navigation, method=method)
    assert answer.status == 401
    assert headers["location"] == LOGIN
    assert headers["x-auth-challenge"] == challenge
    assert headers["x-auth-reason"] == "unauthorized"
    assert headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("method", "status"), [("GET", 302), ("HEAD", 302), ("POST", 303), ("PUT", 303), ("DELETE", 303), ("OPTIONS", 303)]
)
def test_other_proxies_get_the_redirect_that_makes_a_get_of_it(method: str, status: int) -> None:
    """A9, D3."""
    answer, headers = ask(Endpoint.FORWARD_AUTH, navigation=True, method=method)
    assert answer.status == status
    assert headers["location"] == LOGIN
    assert headers["x-auth-reason"] == "unauthorized"


def test_program_behind_other_proxies_gets_json_and_no_location() -> None:
    """A9."""
    answer, headers = ask(Endpoint.FORWARD_AUTH, navigation=False)
    assert answer.status == 401
    assert "location" not in headers
    assert headers["www-authenticate"].startswith('Bearer realm="')
    assert headers["content-type"].startswith("application/json")


@pytest.mark.parametrize("endpoint", Endpoint)
def test_program_is_told_where_to_log_in(endpoint: Endpoint) -> None:
    answer, _ = ask(endpoint, navigation=False)
    body = body_of(answer)
    assert set(body) == {"error", "message", "code", "login_url", "decision_id"}
    assert (body["login_url"], body["decision_id"], body["code"]) == (LOGIN, ID, "unauthorized")


@pytest.mark.parametrize("endpoint", Endpoint)
def test_expired_token_gets_the_words_that_clients_know(endpoint: Endpoint) -> None:
    answer, headers = ask(endpoint, navigation=False, reason=TokenExpired())
    body = body_of(answer)
    assert body["error"] == "Token expired"
    assert body["message"] == "Your session has expired. Please log in again."
    assert headers["x-auth-reason"] == "token_expired"


@pytest.mark.parametrize("endpoint", Endpoint)
@pytest.mark.parametrize("reason", [InvalidToken(), PasswordChangeRequired()])
def test_bad_credential_is_401_with_its_reason(endpoint: Endpoint, reason: Unauthorized) -> None:
    """A1: whatever the reason, a check that wants a login is 401, which every proxy understands."""
    answer, headers = ask(endpoint, navigation=False, reason=reason)
    assert answer.status == 401
    assert headers["x-auth-reason"] == body_of(answer)["code"] == reason.code


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        (Forbidden(), 403),
        (MalformedRequest(), 403),
        (UntrustedPeer(), 403),
        (AnswerTooLarge(), 403),
        (TooManyAttempts(retry_after=timedelta(milliseconds=1)), 429),
        (Unavailable(), 503),
    ],
)
def test_refusal_says_its_reason_in_header_and_body(refusal: GatewayError, status: int) -> None:
    answer = refuse(refusal, decision_id=ID)
    headers = headers_of(answer)
    assert answer.status == status
    assert headers["x-auth-reason"] == body_of(answer)["code"] == refusal.code
    assert body_of(answer)["decision_id"] == ID
    assert "location" not in headers
    assert ("retry-after" in headers) is (status in (429, 503))


@pytest.mark.parametrize(
    ("wait", "seconds"), [(timedelta(milliseconds=1), "1"), (timedelta(seconds=5), "5"), (timedelta(seconds=5.2), "6")]
)
def test_wait_is_rounded_up_to_whole_seconds(wait: timedelta, seconds: str) -> None:
    headers = headers_of(refuse(TooManyAttempts(retry_after=wait), decision_id=ID))
    assert headers["retry-after"] == seconds


def test_body_carries_what_is_not_ascii() -> None:
    refusal = Forbidden("Für Ädä gesperrt")
    assert body_of(refuse(refusal, decision_id=ID))["message"] == "Für Ädä gesperrt"
