"""Answers that a healthy gateway gives seldom or never: a stand-in gives them, and nothing passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.demo.nginx import listen_on_loopback
from tests.support.background import in_background
from tests.support.gateway import start_gateway
from tests.support.protected_site import BROWSER, HOST, PORTAL, PROGRAM, portal_environment, settings_asking
from tests.support.stages import ALLOW, PROXIES
from tests.support.threaded_server import Reply

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.stages import StandIn

COOKIES = (("Set-Cookie", "gateway_session=planted; Path=/"), ("Set-Cookie", "other=planted"))


@pytest.mark.parametrize("line", [BROWSER, PROGRAM])
def test_too_many_requests_stay_what_they_are(stand_in: StandIn, line: str) -> None:
    stand_in.answer(lambda _: Reply(429, (("Retry-After", "17"), ("X-Auth-Reason", "too_many_attempts"))))
    answer = stand_in.site.ask("GET /", line)
    assert (answer.status, answer.header("Retry-After")) == (429, "17")
    assert stand_in.passed == 0


def test_unavailable_stays_what_it_is(stand_in: StandIn) -> None:
    stand_in.answer(lambda _: Reply(503, (("Retry-After", "9"),)))
    answer = stand_in.site.ask("GET /")
    assert (answer.status, answer.header("Retry-After")) == (503, "9")
    assert stand_in.passed == 0


@pytest.mark.parametrize("status", [None, 304, 400, 401, 403, 404, 500, 502])
def test_nothing_passes_without_a_yes(stand_in: StandIn, status: int | None) -> None:
    """A1."""
    stand_in.answer(lambda _: Reply(status))
    answer = stand_in.site.ask("GET /")
    assert not 200 <= answer.status < 300
    assert stand_in.passed == 0


def test_cookie_of_a_check_that_allows_is_not_handed_on(stand_in: StandIn) -> None:
    stand_in.answer(lambda _: Reply(200, (*ALLOW.headers, *COOKIES)))
    answer = stand_in.site.ask("GET /")
    assert answer.status == 200
    assert "planted" not in str(answer.headers)
    assert "planted" not in str(answer.json["headers"])


def test_check_whose_connection_broke_is_asked_once_more(stand_in: StandIn) -> None:
    """A gateway that is started anew leaves kept connections behind that are closed."""
    stand_in.answer(lambda _: ALLOW)
    assert stand_in.site.ask("GET /").status == 200
    replies = [Reply(None), ALLOW]
    stand_in.answer(lambda _: replies.pop(0))
    answer = stand_in.site.ask("GET /")
    assert (answer.status, stand_in.passed, len(stand_in.gateway.received)) == (200, 1, 2)


def test_many_groups_fit_into_the_answer(stand_in: StandIn) -> None:
    groups = ",".join(f"group-{number}" for number in range(700))
    stand_in.answer(lambda _: Reply(200, (*ALLOW.headers, ("Remote-Groups", groups))))
    answer = stand_in.site.ask("GET /")
    assert ["Remote-Groups", groups] in answer.json["headers"]


def test_name_in_any_script_arrives_as_it_is(stand_in: StandIn) -> None:
    stand_in.answer(lambda _: Reply(200, (*ALLOW.headers, ("Remote-Name", "Zoë Müller 王"))))
    assert ["Remote-Name", "Zoë Müller 王"] in stand_in.site.ask("GET /").json["headers"]


def test_body_is_neither_sent_to_the_check_nor_announced(stand_in: StandIn) -> None:
    """What is announced and does not come would be taken from the next request."""
    stand_in.answer(lambda _: ALLOW)
    assert stand_in.site.ask("POST /", body=b"a=1").json["body_length"] == 3
    (check,) = stand_in.gateway.received
    assert check.method == "GET"
    assert check.body == b""
    assert check.values("Content-Length") in ([], ["0"])
    assert check.values("Transfer-Encoding") == []


def test_stopped_gateway_lets_nobody_in(proxy: str, tmp_path: Path) -> None:
    """N2, A1."""
    listener = listen_on_loopback(0)
    environ = portal_environment(tmp_path, listener)
    with in_background(start_gateway(environ)) as gateway:
        settings = settings_asking(gateway.url, environ)
    with PROXIES[proxy](settings, listener) as site:
        for host in (HOST, PORTAL):
            for line in (BROWSER, PROGRAM):
                assert site.ask("GET /", line, host=host).status >= 500
        assert site.application.received == []
