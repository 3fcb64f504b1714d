"""LangSmith's own SDK, as it is published, with a service key, through a real nginx."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import langsmith
import pytest
from langsmith.utils import LangSmithAuthError, LangSmithError, LangSmithUserError

from gateway.demo.application import application_running
from gateway.demo.nginx import listen_on_loopback, nginx_running
from gateway.proxy_config.nginx import render
from tests.support.gateway import Gateway, environment, start_gateway
from tests.support.protected_site import settings_asking
from tests.support.threaded_server import Received, Reply, ThreadedServer, answering

CONFIGURATION = """
identity_headers: {presets: [authelia, langsmith]}
access_control:
  default_policy: deny
  rules:
    - {domain: localhost, path: ["/headers"], subject: "service:Nightly Build", policy: one_factor}
    - {domain: localhost, subject: "role:Organization User", credentials: [api_key], policy: one_factor}
"""


@dataclass(frozen=True, slots=True)
class Service:
    """A service account, its workspaces, and a key of its own."""

    id: str
    workspaces: tuple[str, ...]
    key: str
    key_id: str


@dataclass(frozen=True, slots=True)
class Behind:
    """A gateway, and the address of nginx with an application behind it."""

    gateway: Gateway
    url: str

    async def ask(self, service: Service, workspace: str | None = None) -> dict[str, str]:
        """Send a request as the SDK does, and give the headers that the demo application received."""

        def ask() -> dict[str, str]:
            with sdk(self.url, service.key, workspace) as client:
                return dict(client.request_with_retries("GET", "/headers").json()["headers"])

        return await asyncio.to_thread(ask)


@contextmanager
def sdk(url: str, key: str, workspace: str | None, *, in_batches: bool = False) -> Iterator[langsmith.Client]:
    """Give the SDK, and wait for the end of its threads."""
    client = langsmith.Client(url, api_key=key, workspace_id=workspace, auto_batch_tracing=in_batches)
    try:
        yield client
    finally:
        client.close()
        for thread in threading.enumerate():
            if "tracing" in thread.name:
                thread.join()


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("API_KEY", "ENDPOINT", "TRACING", "WORKSPACE_ID", "PROFILE", "TENANT_ID"):
        for prefix in ("LANGSMITH", "LANGCHAIN"):
            monkeypatch.delenv(f"{prefix}_{name}", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    for proxy in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(proxy, raising=False)


@asynccontextmanager
async def gateway_and_nginx(folder: Path, application: str) -> AsyncIterator[Behind]:
    config = folder / "gateway.yaml"
    config.write_text(CONFIGURATION)
    listener = listen_on_loopback(0)
    port = listener.getsockname()[1]
    environ = environment(folder / "data")
    async with start_gateway(environ, config=config) as gateway:
        settings = settings_asking(gateway.url, environ, config=config)
        files = render(settings, site="localhost", application=application, listen=f"127.0.0.1:{port}", portal=False)
        with nginx_running(listener, files):
            yield Behind(gateway, f"http://localhost:{port}")


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Behind]:
    async with (
        application_running(log_out_url="/logout") as application,
        gateway_and_nginx(tmp_path, application) as behind,
    ):
        yield behind


@pytest.fixture
async def service(demo: Behind) -> Service:
    return await make_service(demo.gateway, workspaces=2)


async def make_service(gateway: Gateway, *, workspaces: int) -> Service:
    """Make a service account in new workspaces, by the API."""
    bearer = {"Authorization": (await gateway.session()).bearer}

    async def post(path: str, body: dict[str, Any]) -> dict[str, Any]:
        async with gateway.client.post(f"{gateway.url}/api/v1{path}", json=body, headers=bearer) as response:
            assert response.ok, await response.text()
            made: dict[str, Any] = await response.json()
            return made

    ids = [(await post("/workspaces", {"display_name": f"Team {number}"}))["id"] for number in range(workspaces)]
    account = await post("/service-accounts", {"name": "Nightly Build", "workspaces": ids})
    body = {"service_account_id": account["id"], "description": "tests"}
    key = await post("/orgs/current/service-keys", body)
    return Service(account["id"], tuple(ids), key["key"], key["id"])


async def organization_id(gateway: Gateway) -> str:
    bearer = (await gateway.session()).bearer
    response = await gateway.ask("/api/v1/orgs/current", Authorization=bearer)
    return str((await response.json())["id"])


async def test_application_sees_user_organization_and_workspace(demo: Behind, service: Service) -> None:
    for workspace in service.workspaces:
        for named in (workspace, workspace.upper()):
            headers = await demo.ask(service, named)
            assert headers["X-User-Id"] == service.id
            assert headers["X-Tenant-Id"] == workspace
            assert headers["X-Organization-Id"] == await organization_id(demo.gateway)
            assert headers["Remote-User"] == "service:Nightly Build"
            assert headers["Remote-Auth-Method"] == "api_key"
            assert service.key not in str(headers)


async def test_key_of_several_workspaces_is_told_by_the_sdk_to_name_one(demo: Behind, service: Service) -> None:
    with pytest.raises(LangSmithUserError, match="org-scoped and requires workspace specification"):
        await demo.ask(service)


async def test_foreign_workspace_is_refused(demo: Behind, service: Service) -> None:
    with pytest.raises(LangSmithError, match="403"):
        await demo.ask(service, str(uuid4()))


async def test_workspace_that_was_taken_away_is_foreign_at_once(demo: Behind, service: Service) -> None:
    kept, lost = service.workspaces
    await demo.ask(service, lost)
    bearer = {"Authorization": (await demo.gateway.session()).bearer}
    url = f"{demo.gateway.url}/api/v1/service-accounts/{service.id}"
    async with demo.gateway.client.patch(url, json={"workspaces": [kept]}, headers=bearer) as response:
        assert response.status == 200, await response.text()
    with pytest.raises(LangSmithError, match="403"):
        await demo.ask(service, lost)
    # Of one workspace nothing has to be said.
    assert (await demo.ask(service))["X-Tenant-Id"] == kept


async def test_deleted_key_is_no_key(demo: Behind, service: Service) -> None:
    await demo.ask(service, service.workspaces[0])
    bearer = (await demo.gateway.session()).bearer
    path = f"/api/v1/orgs/current/service-keys/{service.key_id}"
    assert (await demo.gateway.ask(path, method="DELETE", Authorization=bearer)).status == 204
    with pytest.raises(LangSmithAuthError):
        await demo.ask(service, service.workspaces[0])


@pytest.fixture
def langsmith_server() -> Iterator[ThreadedServer]:
    """An application that takes runs as LangSmith does."""

    def answer(received: Received) -> Reply:
        if received.target == "/info":
            return Reply(200, (("Content-Type", "application/json"),), b'{"version": "0.12.0"}')
        return Reply(202, (("Content-Type", "application/json"),), b"{}")

    with answering(answer) as server:
        yield server


async def test_runs_arrive_in_their_workspace(langsmith_server: ThreadedServer, tmp_path: Path) -> None:
    def trace(url: str, service: Service) -> str:
        with sdk(url, service.key, service.workspaces[1], in_batches=True) as client:
            for number in range(3):
                client.create_run(f"run {number}", inputs={"n": number}, run_type="chain", start_time=datetime.now(UTC))
            client.flush()
            return client.info.version or ""

    async with gateway_and_nginx(tmp_path, f"http://127.0.0.1:{langsmith_server.port}") as behind:
        service = await make_service(behind.gateway, workspaces=2)
        assert await asyncio.to_thread(trace, behind.url, service) == "0.12.0"

    sent = [received for received in langsmith_server.received if received.method == "POST"]
    assert sent
    for received in langsmith_server.received:
        assert received.values("X-Tenant-Id") == [service.workspaces[1]]
        assert received.values("X-User-Id") == [service.id]
        assert received.values("X-API-Key") == []
