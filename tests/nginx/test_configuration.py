"""The configuration itself: what is shipped, what nginx thinks of it, and what it repeats of the code."""

from __future__ import annotations

import re
import socket
import ssl
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
import yaml

from gateway.config.identity_headers import PRESETS
from gateway.config.settings import Settings
from gateway.demo.nginx import listen_on_loopback, nginx_running
from gateway.errors import InvalidApiKey, InvalidToken, TokenExpired, Unauthorized
from gateway.proxy_config import headers
from gateway.proxy_config.addresses import parse_application, parse_gateway, parse_listen, parse_site, reachable
from gateway.proxy_config.nginx import render
from gateway.proxy_config.rendering import DEFAULT_APPLICATION, DEFAULT_SITE, Certificate, default_listen
from gateway.resources import resource_folder
from tests.support.certificate import self_signed_certificate
from tests.support.raw_http import exchange, request_bytes
from tests.support.threaded_server import Reply, answering

if TYPE_CHECKING:
    from pathlib import Path


def rendered(settings: dict[str, object] | None = None, *, listen: str = "8080") -> dict[str, str]:
    made = Settings.model_validate(settings or {})
    return render(made, site=DEFAULT_SITE, application=DEFAULT_APPLICATION, listen=listen)


def files_below(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_shipped_files_are_the_output_for_the_defaults() -> None:
    assert default_listen(Settings()) == "8080"
    assert files_below(resource_folder("nginx")) == rendered()


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"public_url": "http://auth.example.com:8080"},
        {"listen": "0.0.0.0:9091"},
        {"listen": "[::1]:9091"},
        {"forward_credentials": "true"},
        {"identity_headers": {"presets": ["authelia", "oauth2-proxy", "langsmith"], "headers": {"X-Team": "groups"}}},
    ],
)
def test_nginx_accepts_the_files(settings: dict[str, object]) -> None:
    with listen_on_loopback(0) as listener:
        port = listener.getsockname()[1]
        with nginx_running(listener, rendered(settings, listen=f"127.0.0.1:{port}")) as nginx:
            assert exchange(port, request_bytes("GET /", "Host: unknown.example")).status == 421
            for level in ("warn", "error", "alert", "crit", "emerg"):
                assert f"[{level}]" not in nginx.last_words()


def test_https_site_asks_about_https_addresses(tmp_path: Path) -> None:
    certificate = self_signed_certificate(tmp_path, DEFAULT_SITE)
    with answering(lambda _: Reply(200)) as gateway, listen_on_loopback(0) as listener:
        port = listener.getsockname()[1]
        settings = {"public_url": f"https://auth.example.com:{port}", "listen": f"127.0.0.1:{gateway.port}"}
        files = render(
            Settings.model_validate(settings),
            site=DEFAULT_SITE,
            application=f"http://127.0.0.1:{gateway.port}",
            listen=f"127.0.0.1:{port}",
            certificate=Certificate(str(certificate.chain), str(certificate.key)),
        )
        trust = ssl.create_default_context(cafile=certificate.chain)
        with (
            nginx_running(listener, files),
            socket.create_connection(("127.0.0.1", port), timeout=15) as plain,
            trust.wrap_socket(plain, server_hostname=DEFAULT_SITE) as connection,
        ):
            connection.sendall(request_bytes("GET /x?y=1", f"Host: {DEFAULT_SITE}:{port}", "Connection: close"))
            assert connection.recv(12) == b"HTTP/1.1 200"
        check, passed = gateway.received
    assert check.values("X-Original-URL") == [f"https://{DEFAULT_SITE}:{port}/x?y=1"]
    assert passed.values("X-Forwarded-Proto") == ["https"]


OWN_HEADERS = {"presets": ["authelia", "oauth2-proxy"], "headers": {"X-Forwarded-User": "user", "X-Team": "groups"}}
LANGSMITH = {"presets": ["authelia", "langsmith"]}


@pytest.mark.parametrize("configured", [{}, OWN_HEADERS, LANGSMITH])
def test_every_identity_header_of_the_check_is_set(configured: dict[str, object]) -> None:
    """B1, B2."""
    settings = Settings.model_validate({"identity_headers": configured})
    protect = rendered({"identity_headers": configured})["snippets/gateway-protect.conf"]
    for name in {*settings.identity_headers.facts, *headers.IDENTITY_HEADERS}:
        assert len(re.findall(rf"^proxy_set_header {name} +\$gateway_", protect, re.MULTILINE)) == 1


@pytest.mark.parametrize(
    ("settings", "told_to_the_check", "passed_on"),
    [
        ({}, "X-Tenant-Id", {"X-Tenant-Id": '""'}),
        ({"identity_headers": LANGSMITH}, "X-Tenant-Id", {"X-Tenant-Id": "$gateway_x_tenant_id"}),
        ({"workspace_header": "x-tenant-id"}, "x-tenant-id", {"X-Tenant-Id": '""'}),
        ({"workspace_header": "X-Team"}, "X-Team", {"X-Tenant-Id": '""', "X-Team": '""'}),
        ({"workspace_header": "X-User-Id"}, "X-User-Id", {"X-Tenant-Id": '""', "X-User-Id": '""'}),
        ({"workspace_header": "X-Team", "identity_headers": OWN_HEADERS}, "X-Team", {"X-Team": "$gateway_x_team"}),
        ({"workspace_header": "none"}, None, {"X-Tenant-Id": None}),
        (
            {"workspace_header": "none", "identity_headers": LANGSMITH},
            None,
            {"X-Tenant-Id": "$gateway_x_tenant_id"},
        ),
    ],
)
def test_what_names_the_workspace_goes_to_the_check_and_no_further(
    settings: dict[str, object], told_to_the_check: str | None, passed_on: dict[str, str | None]
) -> None:
    """B2."""
    files = rendered(settings)
    check = files["snippets/gateway-location.conf"].partition("location @gateway_401")[0]
    sent = dict(re.findall(r"^ *proxy_set_header (\S+) +(\S+);", check, re.MULTILINE))
    known = {name: value for name, value in sent.items() if name.lower() in {"x-tenant-id", "x-team", "x-user-id"}}
    expected = f"$http_{told_to_the_check.lower().replace('-', '_')}" if told_to_the_check else ""
    assert known == ({told_to_the_check: expected} if told_to_the_check else {})
    protect = re.findall(r"^proxy_set_header (\S+) +(\S+);", files["snippets/gateway-protect.conf"], re.MULTILINE)
    for name, value in passed_on.items():
        assert [said for header, said in protect if header == name] == ([] if value is None else [value])


def test_identity_headers_that_are_switched_off_are_removed_all_the_same() -> None:
    """B2: an application may still believe them."""
    protect = rendered({"identity_headers": {"presets": ["oauth2-proxy"]}})["snippets/gateway-protect.conf"]
    for name in PRESETS["authelia"]:
        assert f"proxy_set_header {name} $gateway_" in protect


def test_credentials_pass_where_the_settings_say_so() -> None:
    text = "".join(rendered({"forward_credentials": True}).values())
    assert "$gateway_cookie" not in text
    assert "$gateway_strip" not in "".join(re.findall("^map .*$", text, re.MULTILINE))
    assert not re.search(r"proxy_set_header (Authorization|X-API-Key) +\$gateway", text)


@pytest.mark.parametrize("configured", [{}, OWN_HEADERS, LANGSMITH])
def test_no_header_is_set_twice(configured: dict[str, object]) -> None:
    """Both lines would be sent."""
    for text in rendered({"identity_headers": configured}).values():
        for block in text.split("location "):
            names = [name.lower() for name in re.findall(r"^ *proxy_set_header (\S+)", block, re.MULTILINE)]
            assert len(names) == len(set(names))


def test_refusals_read_as_the_gateway_words_them() -> None:
    text = rendered()["gateway.conf"]
    for refusal in (InvalidApiKey, InvalidToken, TokenExpired):
        assert f'{refusal.code} "{refusal.sentence}";' in text
    assert f'{TokenExpired.code} "{TokenExpired.title}";' in text
    assert f'default "{Unauthorized.sentence}";' in text
    assert f'default "{Unauthorized.title}";' in text


def test_ingress_says_what_the_snippets_say() -> None:
    """B2: the names are the same, and the login page is the portal's."""
    settings: dict[str, object] = {"public_url": "https://login.example.org", "listen": "0.0.0.0:9091"}
    ingress, pages, _, strip = yaml.safe_load_all(rendered(settings)["ingress-nginx.yml"])
    prefix = "nginx.ingress.kubernetes.io/"
    said = {key.removeprefix(prefix): value for key, value in ingress["metadata"]["annotations"].items()}
    assert said["auth-url"].endswith(":9091/api/authz/auth-request")
    assert (said["auth-signin"], said["auth-signin-redirect-param"]) == ("https://login.example.org/login", "rd")
    assert said["auth-response-headers"].split(",") == list(headers.IDENTITY_HEADERS)
    removed = (*headers.removed_from_visitors("X-Tenant-Id"), *headers.REMOVED_REQUEST_HEADERS)
    assert strip["data"] == dict.fromkeys(removed, "")
    paths = {path["path"]: path["backend"]["service"]["name"] for path in pages["spec"]["rules"][0]["http"]["paths"]}
    assert paths == {"/": "gateway", "/api/authz": "gateway-nowhere"}


def test_cookies_of_every_setting_are_known() -> None:
    for url, domain in (
        ("http://auth.example.com", None),
        ("https://auth.example.com", None),
        ("https://auth.example.com", "example.com"),
    ):
        name = Settings.model_validate({"public_url": url, "cookie_domain": domain}).session_cookie_name
        assert re.fullmatch(headers.OUR_COOKIE, f"{name}=")


def test_portal_is_a_placeholder_only_while_the_public_url_is_local() -> None:
    assert "server_name auth.example.com;" in rendered()["gateway.conf"]
    assert "A placeholder" in rendered()["gateway.conf"]
    text = rendered({"public_url": "http://login.example.org"})["gateway.conf"]
    assert "server_name login.example.org;" in text
    assert "A placeholder" not in text


def test_https_is_spoken_on_every_host_when_the_public_url_is_https() -> None:
    text = rendered({"public_url": "https://auth.example.com"}, listen="443")["gateway.conf"]
    assert text.count("listen 443 ssl") == text.count("listen ") == text.count("ssl_certificate_key ") == 3


GATEWAYS = ("http://10.0.0.5:9091", "http://gateway-2:9092", "http://[::1]:9091")


def test_each_of_several_gateways_is_asked_and_a_failed_check_once_more() -> None:
    files = render(Settings(), site=DEFAULT_SITE, application=DEFAULT_APPLICATION, listen="8080", gateways=GATEWAYS)
    upstreams = dict(re.findall(r"^upstream (\w+) \{\n(.*?)^\}", files["gateway.conf"], re.MULTILINE | re.DOTALL))
    addresses = [url.removeprefix("http://") for url in GATEWAYS]
    servers = re.findall(r"server (.*);", upstreams["gateway_check"])
    assert servers == [*addresses, *(f"{address} max_fails=0 backup" for address in addresses)]
    assert re.findall(r"server (.*);", upstreams["gateway_pages"]) == addresses
    assert "127.0.0.1:9091" not in files["gateway.conf"]
    assert "proxy_next_upstream error timeout http_503;" in files["snippets/gateway-location.conf"]


def test_page_comes_from_another_gateway_where_one_is_switched_off() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as silent, ExitStack() as stack:
        where = silent.getsockname()
        # Its queue is full: a further connection gets no answer at all, as from a machine without power.
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(where)
        gateway = stack.enter_context(answering(lambda _: Reply(200, (), b"the portal")))
        listeners = [listen_on_loopback(0), listen_on_loopback(0)]
        port, own = (listener.getsockname()[1] for listener in listeners)
        files = render(
            Settings.model_validate({"public_url": f"http://localhost:{own}"}),
            site="localhost",
            application=DEFAULT_APPLICATION,
            listen=f"127.0.0.1:{port}",
            portal_listen=f"127.0.0.1:{own}",
            gateways=[f"http://127.0.0.1:{where[1]}", f"http://127.0.0.1:{gateway.port}"],
        )
        with nginx_running(listeners[0], files, listeners[1]):
            pages = [exchange(own, request_bytes("GET /login", f"Host: localhost:{own}")) for _ in range(3)]
    assert [page.body for page in pages] == [b"the portal"] * 3


def test_login_page_on_a_port_of_its_own_is_reached_there_and_nowhere_else() -> None:
    with answering(lambda _: Reply(200, (), b"the portal")) as gateway:
        listeners = [listen_on_loopback(0), listen_on_loopback(0)]
        port, own = (listener.getsockname()[1] for listener in listeners)
        files = render(
            Settings.model_validate({"public_url": f"http://localhost:{own}", "listen": f"127.0.0.1:{gateway.port}"}),
            site="localhost",
            application=DEFAULT_APPLICATION,
            listen=f"127.0.0.1:{port}",
            portal_listen=f"127.0.0.1:{own}",
        )
        with nginx_running(listeners[0], files, listeners[1]):
            assert exchange(own, request_bytes("GET /login", f"Host: localhost:{own}")).body == b"the portal"
            assert exchange(own, request_bytes("GET /api/authz/auth-request", f"Host: localhost:{own}")).status == 404
            assert exchange(own, request_bytes("GET /", "Host: elsewhere.example")).status == 421
            assert exchange(port, request_bytes("GET /", "Host: elsewhere.example")).status == 421
    assert [one.values("Host") for one in gateway.received] == [[f"localhost:{own}"]]


@pytest.mark.parametrize("url", ["https://10.0.0.5", "10.0.0.5:9091", "http://10.0.0.5/x", "http://a;}", "http://"])
def test_gateway_that_cannot_be_read_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="a gateway is written as"):
        parse_gateway(url)


def test_application_by_https_is_verified() -> None:
    text = render(Settings(), site=DEFAULT_SITE, application="https://app.internal", listen="8080")["gateway.conf"]
    assert "server app.internal:443;" in text
    assert "proxy_pass https://gateway_application;" in text
    assert "proxy_ssl_verify on;" in text


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:8081",
        "ftp://127.0.0.1",
        "http://app/path",
        "http://user@app",
        "http://a b",
        "http://app;}",
        "http://",
    ],
)
def test_application_that_cannot_be_read_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_application(url)


@pytest.mark.parametrize("site", ["app.example.com:80", "app example", "app;}", "", "https://app.example.com"])
def test_site_that_cannot_be_read_is_refused(site: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_site(site)


@pytest.mark.parametrize(
    ("written", "read"), [("8080", "8080"), ("127.0.0.1:80", "127.0.0.1:80"), ("[::]:80", "[::]:80")]
)
def test_listen_is_a_port_or_an_address_with_one(written: str, read: str) -> None:
    assert parse_listen(written) == read


@pytest.mark.parametrize("written", ["", "0", "70000", "80;", "*:80", "a b:80"])
def test_listen_that_cannot_be_read_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_listen(written)


@pytest.mark.parametrize(
    ("listening", "asked"),
    [("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("::1", "[::1]"), ("10.0.0.5", "10.0.0.5"), ("gateway", "gateway")],  # noqa: S104
)
def test_gateway_is_asked_at_an_address_that_can_be_connected_to(listening: str, asked: str) -> None:
    assert reachable(listening) == asked
