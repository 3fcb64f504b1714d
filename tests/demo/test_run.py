"""`gateway demo` as a newcomer meets it: what it prints, what it says when it cannot start, how it ends."""

from __future__ import annotations

import asyncio
import signal
import socket
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession

from gateway.config.settings import AccessControl, Settings
from gateway.demo.administrator import FILE_NAME
from gateway.demo.errors import DemoFailed
from gateway.demo.nginx import find_nginx, listen_on_loopback, nginx_running
from gateway.demo.settings import demo_settings
from tests.support.commands import run_gateway, start_command
from tests.support.demo import free_port, start_demo
from tests.support.gateway import ADMIN_EMAIL, ADMIN_PASSWORD


async def test_printed_password_opens_the_application_and_logout_closes_it(tmp_path: Path) -> None:
    async with start_demo(tmp_path) as demo, ClientSession() as client:
        login = {"email": demo.administrator, "password": demo.password}
        answer = await client.post(f"{demo.portal}/api/auth/login", json=login)
        bearer = {"Authorization": f"Bearer {(await answer.json())['token']}"}
        page = await client.get(f"{demo.application}/members")
        assert "Hello, Administrator" in await page.text()
        assert (await client.get(f"{demo.application}/api/convos", headers=bearer)).status == HTTPStatus.OK
        shown = await (await client.get(f"{demo.application}/headers", headers=bearer)).json()
        assert "gateway_" not in str(shown)
        assert "Authorization" not in str(shown)
        await client.post(f"{demo.portal}/api/auth/logout", headers=bearer)
        client.cookie_jar.clear()
        refused = await client.get(f"{demo.application}/api/convos", headers=bearer)
        assert refused.status == HTTPStatus.UNAUTHORIZED


async def test_public_page_is_open_and_the_rest_asks_for_a_login(tmp_path: Path) -> None:
    async with start_demo(tmp_path) as demo, ClientSession(headers={"Accept": "text/html"}) as client:
        assert "Hello, stranger" in await (await client.get(f"{demo.application}/public")).text()
        for path in ("/", "/members", "/admin", "/public/../admin", "/public/x"):
            answer = await client.get(f"{demo.application}{path}", allow_redirects=False)
            assert answer.headers["Location"].startswith(f"{demo.portal}/login?rd=")


async def test_termination_ends_all_three(tmp_path: Path) -> None:
    async with start_demo(tmp_path) as demo:
        demo.process.send_signal(signal.SIGTERM)
        assert await demo.process.wait() == 0
        for url in (demo.application, demo.portal):
            assert_free(urlsplit(url).port or 0)


async def test_nginx_ends_even_when_the_demo_is_killed(tmp_path: Path) -> None:
    port = free_port()
    process, _ = await start_to_the_greeting(tmp_path, port=port)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    process.kill()
    await process.communicate()
    async with asyncio.timeout(15):
        with suppress(ConnectionResetError):
            assert await reader.read() == b"", "nginx closes its connections when it ends"
    writer.close()


@pytest.mark.parametrize(("taken", "cure"), [("application", "--port"), ("gateway", "GATEWAY_LISTEN")])
async def test_taken_port_is_named_with_its_cure(tmp_path: Path, taken: str, cure: str) -> None:
    ports = {"application": free_port(), "gateway": free_port()}
    with listen_on_loopback(ports[taken]):
        environ = {"GATEWAY_DATA_DIR": str(tmp_path), "GATEWAY_LISTEN": f"127.0.0.1:{ports['gateway']}"}
        finished = await run_gateway("demo", "--port", str(ports["application"]), environ=environ)
    assert finished.code == 1
    assert f"Port {ports[taken]} is taken" in finished.err
    assert cure in finished.err
    assert "Traceback" not in finished.err


async def test_configured_administrator_is_used_and_its_password_not_printed(tmp_path: Path) -> None:
    configured = {"INITIAL_ORG_ADMIN_EMAIL": ADMIN_EMAIL, "INITIAL_ORG_ADMIN_PASSWORD": ADMIN_PASSWORD}
    process, greeting = await start_to_the_greeting(tmp_path, port=free_port(), **configured)
    process.terminate()
    await process.communicate()
    assert f"Administrator: {ADMIN_EMAIL}" in greeting
    assert "Password: as configured" in greeting
    assert ADMIN_PASSWORD not in str(greeting)
    assert not (tmp_path / FILE_NAME).exists()


def test_mode_in_which_the_printed_password_opens_nothing_is_refused() -> None:
    with pytest.raises(DemoFailed, match="leave AUTH_TYPE"):
        demo_settings(Settings(auth_type="none"))


def test_missing_nginx_is_named_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("gateway.demo.nginx._USUAL_PLACES", "/nowhere")
    with pytest.raises(DemoFailed, match="apt-get install nginx-light"):
        find_nginx()


def test_nginx_says_in_its_own_words_what_it_does_not_accept() -> None:
    with listen_on_loopback(0) as listener, pytest.raises(DemoFailed, match="unknown directive"):
        nginx_running(listener, {"gateway.conf": "surely_no_directive;"}).__enter__()


def test_public_url_follows_the_port_unless_it_is_configured() -> None:
    moved = Settings.model_validate({"listen": "127.0.0.1:9092"})
    assert demo_settings(moved).public_url == "http://localhost:9092"
    named = Settings.model_validate({"public_url": "http://127.0.0.1:9091"})
    assert demo_settings(named).public_url == "http://127.0.0.1:9091"


@pytest.mark.parametrize("url", ["https://auth.example.com", "http://auth.example.com", "https://localhost:9091"])
def test_public_url_elsewhere_is_refused_with_a_cure(url: str) -> None:
    with pytest.raises(DemoFailed, match="GATEWAY_PUBLIC_URL"):
        demo_settings(Settings.model_validate({"public_url": url}))


def test_configured_rules_stay_as_they_are() -> None:
    rules = AccessControl()
    assert demo_settings(Settings(access_control=rules)).access_control is rules


async def start_to_the_greeting(
    folder: Path, *, port: int, **environ: str
) -> tuple[asyncio.subprocess.Process, list[str]]:
    """Start the demo, and give the lines that it printed once it was ready."""
    environ = {"GATEWAY_DATA_DIR": str(folder), "GATEWAY_LISTEN": f"127.0.0.1:{free_port()}", **environ}
    process = await start_command("demo", "--port", str(port), environ=environ)
    assert process.stdout is not None
    lines = [""]
    while "Ctrl-C" not in lines[-1]:
        line = await process.stdout.readline()
        assert line, "the demo ended before it was ready"
        lines.append(line.decode().strip())
    return process, lines


def assert_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
