"""A gateway of the test's own: real settings, real store, real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import ClientResponse, ClientSession, DummyCookieJar
from aiohttp.web_app import _cached_build_middleware

from gateway.config.database_url import SqliteFile
from gateway.config.loading import load_settings
from gateway.config.secrets import load_secrets
from gateway.config.settings import Settings
from gateway.serving import running_gateway
from tests.support.migrated import lay_migrated_file

# What tests marked `both_databases` put the gateways' database into.
DATABASE: dict[str, str] = {}

PUBLIC_URL = "http://localhost:9091"
ADMIN_EMAIL = "admin@example.com"
ADMIN_PASSWORD = "Correct-horse-7"
APP_URL = "http://app.example.com:8080/reports?page=2&sort=name"


@dataclass(frozen=True, slots=True)
class Gateway:
    """What a test may ask of a running gateway. No cookie is kept: each request says what it carries.

    `proxy` asks checks only: a connection on which anything else was asked stays in the slow lane.
    """

    url: str
    settings: Settings
    client: ClientSession
    proxy: ClientSession
    setup_link: str | None

    async def log_in(self, email: str = ADMIN_EMAIL, password: str = ADMIN_PASSWORD, **headers: str) -> ClientResponse:
        body = {"email": email, "password": password}
        return await self.client.post(f"{self.url}/api/auth/login", json=body, headers=headers)

    async def session(self, email: str = ADMIN_EMAIL, password: str = ADMIN_PASSWORD) -> LoggedIn:
        """Log in and give what came of it."""
        response = await self.log_in(email, password)
        assert response.status == 200, await response.text()
        cookie = response.cookies[self.settings.session_cookie_name]
        return LoggedIn(cookie=f"{cookie.key}={cookie.value}", token=(await response.json())["token"])

    async def check(self, url: str = APP_URL, *, method: str = "GET", **headers: str) -> ClientResponse:
        """Ask as nginx does."""
        asked = {"X-Original-URL": url, "X-Original-Method": method, **_dashed(headers)}
        return await self.proxy.get(f"{self.url}/api/authz/auth-request", headers=asked)

    async def ask(self, path: str, *, method: str = "GET", **headers: str) -> ClientResponse:
        """Send a request to the portal itself, or a check as it is written, redirects not followed."""
        url, sent = f"{self.url}{path}", _dashed(headers)
        client = self.proxy if path.startswith("/api/authz/") else self.client
        response = await client.request(method, url, headers=sent, allow_redirects=False)
        # A test that looks at the head only would leave its connection open.
        await response.read()
        return response


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A `Cookie` line and an access token of one session."""

    cookie: str
    token: str

    @property
    def bearer(self) -> str:
        return f"Bearer {self.token}"


def environment(data_dir: Path, **more: str) -> dict[str, str]:
    """Give the environment of a gateway with an administrator, on any free port."""
    return {
        "GATEWAY_DATA_DIR": str(data_dir),
        "GATEWAY_LISTEN": "127.0.0.1:0",
        "GATEWAY_PUBLIC_URL": PUBLIC_URL,
        "INITIAL_ORG_ADMIN_EMAIL": ADMIN_EMAIL,
        "INITIAL_ORG_ADMIN_PASSWORD": ADMIN_PASSWORD,
        # One address makes all the requests here; tests of the limit set it themselves.
        "LOGIN_MAX": "10000",
        **DATABASE,
        **more,
    }


@asynccontextmanager
async def start_gateway(environ: Mapping[str, str], *, config: Path | None = None) -> AsyncIterator[Gateway]:
    """Run a gateway in this process until the block ends."""
    settings = load_settings(config, (), environ).settings
    if isinstance(settings.database, SqliteFile):
        lay_migrated_file(settings.database.path)
    try:
        async with (
            running_gateway(settings, load_secrets(settings)) as serving,
            ClientSession(cookie_jar=DummyCookieJar()) as client,
            ClientSession(cookie_jar=DummyCookieJar()) as proxy,
        ):
            yield Gateway(serving.url, settings, client, proxy, serving.prepared.setup_link)
    finally:
        # It would keep hundreds of ended applications, for the collector to look at again and again.
        _cached_build_middleware.cache_clear()


def _dashed(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
