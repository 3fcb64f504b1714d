"""Several gateways behind one nginx: what one of them cannot answer, another one is asked."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from gateway.config.settings import Settings
from gateway.demo.nginx import listen_on_loopback, nginx_running
from gateway.proxy_config.nginx import render
from tests.support.protected_site import HOST, ProtectedSite, show
from tests.support.servers.processes import free_port
from tests.support.stages import ALLOW
from tests.support.threaded_server import Reply, answering

if TYPE_CHECKING:
    from collections.abc import Iterator

AWAY = Reply(503, (("Retry-After", "9"),))
REFUSED = Reply(401, (("X-Auth-Challenge", "json"), ("X-Auth-Reason", "unauthorized")))


@contextmanager
def site_behind(*ports: int) -> Iterator[ProtectedSite]:
    """Put nginx between visitors and an application, with gateways on these ports."""
    with answering(show) as application, listen_on_loopback(0) as listener:
        port = listener.getsockname()[1]
        files = render(
            Settings(),
            site=HOST,
            application=f"http://127.0.0.1:{application.port}",
            listen=f"127.0.0.1:{port}",
            gateways=[f"http://127.0.0.1:{gateway}" for gateway in ports],
        )
        with nginx_running(listener, files):
            yield ProtectedSite(port, application)


@pytest.mark.parametrize("first", [AWAY, Reply(None)], ids=["without its database", "dying"])
def test_what_one_cannot_answer_another_one_does(first: Reply) -> None:
    with (
        answering(lambda _: first) as one,
        answering(lambda _: ALLOW) as other,
        site_behind(one.port, other.port) as site,
    ):
        assert [site.ask("GET /").status for _ in range(4)] == [200] * 4
        assert other.received


def test_one_that_is_not_there_costs_nobody_a_check() -> None:
    with answering(lambda _: ALLOW) as other, site_behind(free_port(), other.port) as site:
        assert [site.ask("GET /").status for _ in range(4)] == [200] * 4


def test_a_refusal_is_an_answer_and_nobody_else_is_asked() -> None:
    with (
        answering(lambda _: REFUSED) as one,
        answering(lambda _: REFUSED) as other,
        site_behind(one.port, other.port) as site,
    ):
        assert [site.ask("GET /").status for _ in range(4)] == [401] * 4
        assert len(one.received) + len(other.received) == 4
        assert site.application.received == []


def test_while_all_are_away_nothing_passes_and_the_first_that_is_back_is_asked_at_once() -> None:
    answers = [AWAY]
    with (
        answering(lambda _: answers[0]) as one,
        answering(lambda _: answers[0]) as other,
        site_behind(one.port, other.port) as site,
    ):
        for _ in range(4):
            answer = site.ask("GET /")
            assert (answer.status, answer.header("Retry-After")) == (503, "9")
        assert site.application.received == []
        answers[0] = ALLOW
        assert site.ask("GET /").status == 200
