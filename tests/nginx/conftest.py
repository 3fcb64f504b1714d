"""One nginx with a real gateway for all tests of a worker: none of them changes anything in either."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from gateway.demo.nginx import listen_on_loopback
from tests.support.background import in_background
from tests.support.gateway import ADMIN_EMAIL, ADMIN_PASSWORD, start_gateway
from tests.support.nginx import PORTAL, ProtectedSite, portal_environment, settings_asking, site_behind_nginx

if TYPE_CHECKING:
    from collections.abc import Iterator

# What is open to everybody, to show what reaches the application without a login; the rest wants one.
RULES = """\
access_control:
  default_policy: one_factor
  rules:
    - {domain: app.example.com, path: ["/public/**"], policy: bypass}
    - {domain: app.example.com, path: ["/closed"], policy: deny}
"""


@dataclass(frozen=True, slots=True)
class Visitor:
    """A session's cookie and access token."""

    cookie: str
    bearer: str

    @property
    def session_token(self) -> str:
        return self.cookie.partition("=")[2]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProtectedSite]:
    """nginx, a real gateway, and an application that shows what reaches it."""
    folder = tmp_path_factory.mktemp("gateway")
    rules = folder / "rules.yaml"
    rules.write_text(RULES)
    listener = listen_on_loopback(0)
    environ = portal_environment(folder / "data", listener)
    with in_background(start_gateway(environ, config=rules)) as gateway:
        settings = settings_asking(urlsplit(gateway.url).port or 0, environ)
        with site_behind_nginx(settings, listener) as site:
            yield site


@pytest.fixture(scope="session")
def visitor(site: ProtectedSite) -> Visitor:
    """Somebody who has logged in at the portal, through nginx."""
    body = f'{{"email": "{ADMIN_EMAIL}", "password": "{ADMIN_PASSWORD}"}}'.encode()
    answer = site.ask("POST /api/auth/login", "Content-Type: application/json", body=body, host=PORTAL)
    assert answer.status == 200, answer
    cookies = [value for name, value in answer.headers if name == "Set-Cookie"]
    cookie = next(value.partition(";")[0] for value in cookies if value.startswith("gateway_session="))
    return Visitor(cookie, f"Authorization: Bearer {answer.json['token']}")
