"""compose.yaml, without an engine to run it: what it says is read, and held against the programs that it is about."""

from __future__ import annotations

import asyncio
import re
import sys
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import ClientSession

from gateway.config.database_url import PostgresqlServer
from gateway.config.loading import load_settings
from gateway.config.settings import Settings
from gateway.proxy_config.nginx import render
from tests.support.gateway import environment, start_gateway
from tests.support.servers.processes import free_port

PROJECT = Path(__file__).parent.parent.parent
GATEWAYS = ("gateway-1", "gateway-2")
# `${NAME}`, `${NAME:-default}` and `${NAME:?what to do}`, as Compose reads them.
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")
FILLED_IN = {
    "BASIC_AUTH_JWT_SECRET": "a" * 64,
    "GATEWAY_API_KEY_SALT": "b" * 64,
    "GATEWAY_ENCRYPTION_KEY": "c" * 64,
    "POSTGRES_PASSWORD": "d" * 64,
    "REDIS_PASSWORD": "e" * 64,
    "INITIAL_ORG_ADMIN_EMAIL": "admin@example.com",
    "INITIAL_ORG_ADMIN_PASSWORD": "Correct-horse-7",
}


class Unset(Exception):
    """Compose stops with this sentence."""


def interpolated(text: str, environ: dict[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        name, kind, more = match.groups()
        if found := environ.get(name):
            return found
        if kind == "-":
            return str(more)
        message = f"{name}: {more}"
        raise Unset(message)

    return VARIABLE.sub(value, text)


def compose(**environ: str) -> dict[str, Any]:
    # Comments are none of Compose's business.
    text = (PROJECT / "compose.yaml").read_text()
    read: dict[str, Any] = yaml.safe_load(interpolated(text, {**FILLED_IN, **environ}))
    return read


def environment_of(name: str, **environ: str) -> dict[str, str]:
    written: dict[str, str] = compose(**environ)["services"][name]["environment"]
    return written


@pytest.mark.parametrize("name", FILLED_IN)
def test_what_is_not_set_stops_it_with_a_cure(name: str) -> None:
    with pytest.raises(Unset, match=rf"{name}: give it a value in .env, see .env.example"):
        compose(**{name: ""})


def test_the_example_names_everything_that_has_to_be_set_and_sets_nothing() -> None:
    lines = re.findall(r"^(#?)(\w+)=(.*)$", (PROJECT / ".env.example").read_text(), re.MULTILINE)
    assert {name: value for mark, name, value in lines if not mark} == dict.fromkeys(FILLED_IN, "")
    named = {match[1] for match in VARIABLE.finditer((PROJECT / "compose.yaml").read_text())}
    assert named == {name for _, name, _ in lines}


@pytest.mark.parametrize("name", GATEWAYS)
def test_gateways_accept_their_settings(name: str) -> None:
    settings = load_settings(None, (), {**environment_of(name), "GATEWAY_LISTEN": "0.0.0.0:9091"}).settings
    assert settings.database == PostgresqlServer(f"postgresql://gateway:{'d' * 64}@postgres:5432/gateway")
    assert settings.redis_url is not None
    assert settings.public_url == "http://localhost:9091"
    assert settings.basic_auth.initial_org_admin_email == "admin@example.com"


def test_gateways_are_alike_but_for_their_address() -> None:
    services = compose()["services"]
    one, two = ({**services[name], "networks": None} for name in GATEWAYS)
    assert one == two


def test_gateways_believe_nginx_alone() -> None:
    address = compose()["services"]["nginx"]["networks"]["site"]["ipv4_address"]
    assert environment_of("gateway-1")["GATEWAY_TRUSTED_PROXIES"] == address


def test_nginx_alone_is_reached_from_outside_and_from_this_machine_only() -> None:
    published = {name: service.get("ports", []) for name, service in compose()["services"].items()}
    assert published.pop("nginx") == ["127.0.0.1:8080:8080", "127.0.0.1:9091:9091"]
    assert not any(published.values())


def test_other_ports_are_followed_by_every_address() -> None:
    services = compose(PORT="8090", PORTAL_PORT="9191")["services"]
    assert services["nginx"]["ports"] == ["127.0.0.1:8090:8080", "127.0.0.1:9191:9091"]
    assert services["gateway-1"]["environment"]["GATEWAY_PUBLIC_URL"] == "http://localhost:9191"
    assert "http://localhost:9191/logout" in services["application"]["command"]


def test_whatever_is_waited_for_says_when_it_is_well() -> None:
    services = compose()["services"]
    for service in services.values():
        for name, waited in service.get("depends_on", {}).items():
            assert waited == {"condition": "service_healthy"}
            assert services[name]["healthcheck"]["test"]


@pytest.mark.parametrize("name", GATEWAYS)
async def test_a_healthy_gateway_is_taken_for_one(name: str, tmp_path: Path) -> None:
    test = compose()["services"][name]["healthcheck"]["test"]
    asked = re.search(r"http://127\.0\.0\.1:9091(/\w+)", " ".join(test))
    assert asked
    async with start_gateway(environment(tmp_path)) as gateway:
        assert (await gateway.ask(asked[1])).status == HTTPStatus.OK


def test_nginx_is_given_what_the_renderer_makes() -> None:
    files = render(
        Settings.model_validate({"public_url": environment_of("gateway-1")["GATEWAY_PUBLIC_URL"]}),
        site="localhost",
        application="http://application:8081",
        listen="8080",
        gateways=[f"http://{name}:9091" for name in GATEWAYS],
        portal_listen="9091",
    )
    folder = PROJECT / "config" / "compose"
    shipped = {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*.conf")}
    assert shipped == {name: text for name, text in files.items() if name.endswith(".conf")}


def test_mounted_files_are_there() -> None:
    for service in compose()["services"].values():
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert not source.startswith(".") or (PROJECT / source).exists()


async def test_the_application_of_its_own_container_serves() -> None:
    command = compose()["services"]["application"]
    port = free_port()
    module: list[str] = command["entrypoint"][1:]
    words: list[str] = command["command"]
    changed = {"0.0.0.0": "127.0.0.1", "8081": str(port)}  # noqa: S104 - inside a container
    arguments = [changed.get(word, word) for word in words]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *module, *arguments), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        assert (await process.stdout.readline()).decode() == f"The application listens on http://127.0.0.1:{port}\n"
        async with ClientSession() as client:
            page = await client.get(f"http://127.0.0.1:{port}/public", headers={"Remote-User": "ann"})
            assert (page.status, "http://localhost:9091/logout" in await page.text()) == (HTTPStatus.OK, True)
    finally:
        process.terminate()
        assert await process.wait() == 0
