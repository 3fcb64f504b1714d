"""Each proxy with a gateway behind it, one for all tests of a worker: none of them changes anything in either."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import pytest

from gateway.demo.nginx import listen_on_loopback
from tests.support.background import in_background
from tests.support.gateway import ADMIN_EMAIL, ADMIN_PASSWORD, start_gateway
from tests.support.nginx import site_behind_nginx
from tests.support.protected_site import (
    RULES,
    ProtectedSite,
    Visitor,
    log_in,
    portal_environment,
    settings_asking,
    show,
)
from tests.support.threaded_server import Received, Reply, ThreadedServer, answering
from tests.support.traefik import site_behind_traefik

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from gateway.config.settings import Settings

# For an application that wants to be told in LangSmith's words.
_LANGSMITH = "identity_headers: {presets: [authelia, langsmith]}\n"

ALLOW = Reply(200, (("Remote-User", "alice"), ("X-Decision-Id", "d1")))


class SiteBehindProxy(Protocol):
    """Starts one of the proxies."""

    def __call__(
        self, settings: Settings, listener: socket.socket, *, application_answers: Callable[[Received], Reply] = show
    ) -> AbstractContextManager[ProtectedSite]: ...


PROXIES: dict[str, SiteBehindProxy] = {"nginx": site_behind_nginx, "traefik": site_behind_traefik}


@dataclass(frozen=True, slots=True)
class Stage:
    """A proxy with a real gateway and an application, and somebody who has logged in through it."""

    site: ProtectedSite
    visitor: Visitor


@dataclass(slots=True)
class Answers:
    """What the stand-in gateway answers, until a test says otherwise."""

    answer: Callable[[Received], Reply]

    def __call__(self, received: Received) -> Reply:
        return self.answer(received)


@dataclass(frozen=True, slots=True)
class StandIn:
    """A proxy with a gateway that answers whatever a test wants it to."""

    site: ProtectedSite
    gateway: ThreadedServer
    answers: Answers

    def answer(self, answer: Callable[[Received], Reply]) -> None:
        """Answer so from now on, and forget what was received."""
        self.answers.answer = answer
        self.gateway.received.clear()
        self.site.application.received.clear()

    @property
    def passed(self) -> int:
        """How many requests the application received."""
        return len(self.site.application.received)


@contextmanager
def _stage(proxy: str, tmp_path_factory: pytest.TempPathFactory, *, more: str = "") -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp(f"gateway-behind-{proxy}")
    rules = folder / "rules.yaml"
    rules.write_text(RULES + more)
    listener = listen_on_loopback(0)
    environ = portal_environment(folder / "data", listener)
    with (
        in_background(start_gateway(environ, config=rules)) as gateway,
        PROXIES[proxy](settings_asking(gateway.url, environ, config=rules), listener) as site,
    ):
        yield Stage(site, log_in(site, ADMIN_EMAIL, ADMIN_PASSWORD))


@contextmanager
def _stand_in(proxy: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    answers = Answers(lambda _: ALLOW)
    listener = listen_on_loopback(0)
    environ = portal_environment(tmp_path_factory.mktemp("stand-in"), listener)
    with (
        answering(answers) as gateway,
        PROXIES[proxy](settings_asking(gateway.port, environ), listener) as site,
    ):
        yield StandIn(site, gateway, answers)


@pytest.fixture(scope="session")
def behind_nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with _stage("nginx", tmp_path_factory) as stage:
        yield stage


@pytest.fixture(scope="session")
def behind_traefik(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with _stage("traefik", tmp_path_factory) as stage:
        yield stage


@pytest.fixture(scope="session")
def langsmith_behind_nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with _stage("nginx", tmp_path_factory, more=_LANGSMITH) as stage:
        yield stage


@pytest.fixture(scope="session")
def langsmith_behind_traefik(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with _stage("traefik", tmp_path_factory, more=_LANGSMITH) as stage:
        yield stage


@pytest.fixture(scope="session")
def nginx_with_stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with _stand_in("nginx", tmp_path_factory) as stand_in:
        yield stand_in


@pytest.fixture(scope="session")
def traefik_with_stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with _stand_in("traefik", tmp_path_factory) as stand_in:
        yield stand_in


@pytest.fixture
def site(stage: Stage) -> ProtectedSite:
    """The site that the folder's or the test's proxy protects."""
    return stage.site


@pytest.fixture
def visitor(stage: Stage) -> Visitor:
    """Somebody who has logged in at the portal, through the proxy."""
    return stage.visitor
