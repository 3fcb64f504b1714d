"""What Traefik tells the check, what it makes of the answer, and what it cannot do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.demo.nginx import listen_on_loopback
from gateway.proxy_config.traefik import render
from tests.support.protected_site import (
    BROWSER,
    HOST,
    ProtectedSite,
    portal_environment,
    settings_asking,
    show,
    values_of,
)
from tests.support.raw_http import exchange, request_bytes
from tests.support.stages import ALLOW
from tests.support.threaded_server import Reply, answering
from tests.support.traefik import site_behind_traefik, traefik_running

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.protected_site import Visitor
    from tests.support.stages import StandIn

FAMILY = ("X-Forwarded-Method", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Uri")


def test_check_is_told_what_was_asked_and_nothing_that_was_forged(stand_in: StandIn) -> None:
    """A3: what the visitor sends in the names of the check never arrives there, in any spelling of that family."""
    stand_in.answer(lambda _: ALLOW)
    forged = [*FAMILY, "X-Forwarded-For", "X-Forwarded-Port", "X-Real-Ip", "X_Forwarded_Uri", "x_forwarded_for"]
    stand_in.site.ask("POST /x?y=1", *[f"{name}: forged" for name in forged], body=b"a=1")
    (check,) = stand_in.gateway.received
    assert check.target == "/api/authz/forward-auth"
    told = [check.values(name) for name in FAMILY]
    assert told == [["POST"], ["http"], [f"{HOST}:{stand_in.site.port}"], ["/x?y=1"]]
    assert check.values("X-Forwarded-For") == ["127.0.0.1"]
    assert "forged" not in str(check.headers)


@pytest.mark.parametrize(
    ("reply", "body"),
    [
        (Reply(400, body=b"no"), b"no"),
        (Reply(403, (("Content-Type", "text/html"),), b"<p>no"), b"<p>no"),
        (Reply(429, (("Retry-After", "17"),), b"slowly"), b"slowly"),
        (Reply(503, (("Retry-After", "9"),), b"later"), b"later"),
    ],
    ids=str,
)
def test_refusal_of_the_check_reaches_the_visitor_whole(stand_in: StandIn, reply: Reply, body: bytes) -> None:
    stand_in.answer(lambda _: reply)
    answer = stand_in.site.ask("GET /")
    assert (answer.status, answer.body, stand_in.passed) == (reply.status, body, 0)
    assert set(reply.headers) <= set(answer.headers)


def test_stopped_gateway_is_an_error_without_words(tmp_path: Path) -> None:
    """N2, A1: other than nginx, Traefik cannot say 503 here."""
    listener = listen_on_loopback(0)
    settings = settings_asking(1, portal_environment(tmp_path, listener))  # nobody listens there
    with site_behind_traefik(settings, listener) as site:
        answer = site.ask("GET /", BROWSER)
    assert (answer.status, answer.body) == (500, b"")


def test_unknown_host_is_not_found(stand_in: StandIn) -> None:
    assert stand_in.site.ask("GET /", host="other.example.com").status == 404


def test_headers_above_the_limit_are_refused_before_anybody_is_asked(stand_in: StandIn) -> None:
    stand_in.answer(lambda _: ALLOW)
    answer = stand_in.site.ask("GET /", *[f"X-Long-{number}: {'x' * 16 * 1024}" for number in range(5)])
    assert (answer.status, stand_in.gateway.received) == (431, [])


def test_question_about_the_proxy_itself_reaches_no_application(stand_in: StandIn) -> None:
    stand_in.answer(lambda _: ALLOW)
    assert stand_in.site.ask("OPTIONS *").status == 200
    assert (stand_in.passed, stand_in.gateway.received) == (0, [])


def test_semicolon_in_the_query_is_an_ampersand_to_the_check_and_to_the_application(stand_in: StandIn) -> None:
    stand_in.answer(lambda _: ALLOW)
    answer = stand_in.site.ask("GET /x?a=1;b=2")
    assert answer.json["target"] == "/x?a=1&b=2"
    assert stand_in.gateway.received[0].values("X-Forwarded-Uri") == ["/x?a=1&b=2"]


def test_dots_are_resolved_before_anybody_sees_them(stand_in: StandIn) -> None:
    stand_in.answer(lambda _: ALLOW)
    for target, seen in (("/public/../members", "/members"), ("//members//x", "/members/x"), ("/a/%2e%2e/b", "/b")):
        assert stand_in.site.ask(f"GET {target}").json["target"] == seen
        assert stand_in.gateway.received[-1].values("X-Forwarded-Uri") == [seen]


def test_session_cookie_reaches_the_application(stand_in: StandIn) -> None:
    """X-Auth-Strip means nothing to Traefik; docs/proxies.md says so."""
    stand_in.answer(lambda _: Reply(200, (*ALLOW.headers, ("X-Auth-Strip", "cookie, authorization"))))
    answer = stand_in.site.ask("GET /", "Cookie: gateway_session=s; a=1", "Authorization: Bearer ours")
    headers = [(name, value) for name, value in answer.json["headers"]]
    assert values_of(headers, "Cookie") == ["gateway_session=s; a=1"]
    assert values_of(headers, "Authorization") == ["Bearer ours"]
    assert values_of(headers, "X-Auth-Strip") == []


def asked_with(folder: Path, change: Callable[[dict[str, str]], None], *lines: str) -> list[tuple[str, str]]:
    """Send these lines past a configuration that was changed, and give what the application received."""
    listener = listen_on_loopback(0)
    port = listener.getsockname()[1]
    with answering(lambda _: ALLOW) as gateway, answering(show) as application:
        files = render(
            settings_asking(gateway.port, portal_environment(folder, listener)),
            site=HOST,
            application=f"http://127.0.0.1:{application.port}",
            listen=f"127.0.0.1:{port}",
        )
        before = dict(files)
        change(files)
        assert files != before
        with traefik_running(listener, files):
            return ProtectedSite(port, application).application_headers(*lines)


def test_credentials_end_at_the_gateway_for_an_application_that_takes_none(tmp_path: Path) -> None:
    """What docs/traefik.md says to write for it."""

    def take_them_from_the_answer(files: dict[str, str]) -> None:
        line = "        preserveLocationHeader: true\n"
        more = "        authResponseHeaders: [Authorization, X-API-Key, Cookie]\n"
        files["gateway.yml"] = files["gateway.yml"].replace(line, line + more)

    sent = ("Cookie: gateway_session=s", "Authorization: Bearer ours", "X-API-Key: ours")
    headers = asked_with(tmp_path, take_them_from_the_answer, *sent)
    for name in ("Cookie", "Authorization", "X-API-Key"):
        assert values_of(headers, name) == []
    assert values_of(headers, "Remote-User") == ["alice"]


def test_names_with_underscores_end_here_without_traefiks_own_setting_too(tmp_path: Path) -> None:
    """B2: older versions do not have it."""

    def leave_it_out(files: dict[str, str]) -> None:
        files["traefik.yml"] = files["traefik.yml"].replace("underscoreHeadersStrategy: delete", "")

    forged = ("Remote_User: forged", "remote_groups: forged", "X_Forwarded_User: forged", "X_Forwarded_Proto: forged")
    assert "forged" not in str(asked_with(tmp_path, leave_it_out, *forged))


def test_page_for_a_refused_browser_is_the_checks_own_answer(site: ProtectedSite, visitor: Visitor) -> None:
    answer = site.ask("GET /closed", BROWSER, f"Cookie: {visitor.cookie}")
    assert answer.status == 403
    assert answer.header("Content-Type") == "text/html; charset=utf-8"
    assert f"http://auth.example.com:{site.port}" in (answer.header("Content-Security-Policy") or "")
    assert answer.header("X-Auth-Reason") == "forbidden"


@pytest.mark.parametrize(
    ("trusted", "seen"),
    [
        ("", [["http"], [HOST], ["127.0.0.1"]]),
        ("forwardedHeaders: {trustedIPs: [127.0.0.1]}", [["https"], [HOST], ["203.0.113.9, 127.0.0.1"]]),
    ],
    ids=["nobody", "the proxy in front"],
)
def test_visitor_behind_another_proxy_is_known_where_that_one_is_trusted(
    tmp_path: Path, trusted: str, seen: list[list[str]]
) -> None:
    """Why `trustForwardHeader` is on: the entry point has decided whom to believe."""
    listener = listen_on_loopback(0)
    port = listener.getsockname()[1]
    with answering(lambda _: ALLOW) as gateway:
        settings = settings_asking(gateway.port, portal_environment(tmp_path, listener))
        files = render(settings, site=HOST, application="http://127.0.0.1:1", listen=f"127.0.0.1:{port}")
        files["traefik.yml"] = files["traefik.yml"].replace("    http:\n", f"    {trusted}\n    http:\n", 1)
        with traefik_running(listener, files):
            gateway.received.clear()
            lines = ["X-Forwarded-Proto: https", "X-Forwarded-For: 203.0.113.9"]
            exchange(port, request_bytes("GET /", f"Host: {HOST}", *lines))
    check = gateway.received[0]
    assert [check.values(f"X-Forwarded-{name}") for name in ("Proto", "Host", "For")] == seen
