"""The configuration itself: what is shipped, what Traefik thinks of it, and that its four forms say the same."""

from __future__ import annotations

import json
import re
import socket
import ssl
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from gateway.config.identity_headers import PRESETS
from gateway.config.settings import Settings
from gateway.demo.nginx import listen_on_loopback
from gateway.proxy_config import headers
from gateway.proxy_config.rendering import DEFAULT_APPLICATION, DEFAULT_SITE, Certificate
from gateway.proxy_config.traefik import render
from gateway.resources import resource_folder
from tests.support.certificate import self_signed_certificate
from tests.support.raw_http import exchange, request_bytes
from tests.support.threaded_server import Reply, answering
from tests.support.traefik import traefik_running

if TYPE_CHECKING:
    from pathlib import Path

OWN_HEADERS = {"presets": ["authelia", "oauth2-proxy"], "headers": {"X-Forwarded-User": "user", "X-Team": "groups"}}


def rendered(settings: dict[str, object] | None = None, *, listen: str = "8080") -> dict[str, str]:
    made = Settings.model_validate(settings or {})
    return render(made, site=DEFAULT_SITE, application=DEFAULT_APPLICATION, listen=listen)


def middlewares(files: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(files["gateway.yml"])["http"]["middlewares"]
    return found


def lower_keys(value: object) -> object:
    """Labels are written in lower case, for Traefik does not mind; names of headers are the operator's to read."""
    if not isinstance(value, dict):
        return value
    return {key.lower(): lower_keys(inner) for key, inner in value.items()}


def test_shipped_files_are_the_output_for_the_defaults() -> None:
    folder = resource_folder("config") / "traefik"
    assert {path.name: path.read_text() for path in folder.iterdir()} == rendered()


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"public_url": "http://auth.example.com:8080"},
        {"listen": "0.0.0.0:9091"},
        {"listen": "[::1]:9091"},
        {"identity_headers": OWN_HEADERS},
        {"identity_headers": {"presets": ["langsmith"]}, "workspace_header": "X-Team"},
    ],
)
def test_traefik_accepts_the_files(settings: dict[str, object]) -> None:
    with listen_on_loopback(0) as listener:
        port = listener.getsockname()[1]
        with traefik_running(listener, rendered(settings, listen=f"127.0.0.1:{port}")) as log:
            assert exchange(port, request_bytes("GET /", "Host: unknown.example")).status == 404
            assert not re.search(r"\b(?:WRN|ERR|FTL)\b", log.read_text()), log.read_text()


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
            traefik_running(listener, files, certificate=certificate.chain),
            socket.create_connection(("127.0.0.1", port), timeout=15) as plain,
            trust.wrap_socket(plain, server_hostname=DEFAULT_SITE) as connection,
        ):
            gateway.received.clear()
            connection.sendall(request_bytes("GET /x?y=1", f"Host: {DEFAULT_SITE}:{port}", "Connection: close"))
            assert connection.recv(12) == b"HTTP/1.1 200"
        check, passed = gateway.received
    asked = [check.values(f"X-Forwarded-{name}") for name in ("Method", "Proto", "Host", "Uri")]
    assert asked == [["GET"], ["https"], [f"{DEFAULT_SITE}:{port}"], ["/x?y=1"]]
    assert passed.values("X-Forwarded-Proto") == ["https"]


@pytest.mark.parametrize(
    "configured", [{}, {"presets": ["oauth2-proxy"]}, {"presets": ["authelia", "langsmith"]}, OWN_HEADERS]
)
def test_every_identity_header_is_taken_from_the_check_and_no_other_name_is_left(configured: dict[str, object]) -> None:
    """B1, B2."""
    facts = Settings.model_validate({"identity_headers": configured}).identity_headers.facts
    found = middlewares(rendered({"identity_headers": configured}))
    taken = re.compile(found["gateway-check"]["forwardAuth"]["authResponseHeadersRegex"])
    removed = found["gateway-strip"]["headers"]["customRequestHeaders"]
    for name in {*facts, *headers.IDENTITY_HEADERS}:
        for spelling in (name, name.upper(), name.lower(), name.replace("-", "_"), name.replace("-", ".")):
            assert taken.search(spelling)
        assert name not in removed, "it would be removed after the check's answer was set"
    for name in {*headers.REMOVED_IDENTITY_HEADERS, *PRESETS["oauth2-proxy"], *PRESETS["langsmith"]} - set(facts):
        assert removed[name] == ""
    for name in ("Cookie", "Authorization", "X-Api-Key", "Host", "Content-Type", "X-Forwarded-For", "X-Team-Name"):
        assert not taken.search(name)


@pytest.mark.parametrize(
    ("workspace_header", "removed", "kept"),
    [
        ("X-Tenant-Id", {"X-Tenant-Id"}, {"X-Team"}),
        ("X-Team", {"X-Tenant-Id", "X-Team"}, set()),
        ("none", set(), {"X-Tenant-Id", "X-Team"}),
    ],
)
def test_what_names_the_workspace_is_removed_after_the_check(
    workspace_header: str, removed: set[str], kept: set[str]
) -> None:
    """B2."""
    found = middlewares(rendered({"workspace_header": workspace_header}))
    assert found["gateway"]["chain"]["middlewares"] == ["gateway-check", "gateway-strip"]
    stripped = set(found["gateway-strip"]["headers"]["customRequestHeaders"])
    assert removed <= stripped
    assert not kept & stripped


def test_portal_does_not_offer_checks() -> None:
    for name in ("gateway.yml", "docker-compose.yml", "kubernetes.yml"):
        assert "Host(`auth.example.com`) && !PathPrefix(`/api/authz/`)" in rendered()[name]


def test_docker_labels_say_what_the_file_says() -> None:
    files = rendered({"identity_headers": OWN_HEADERS})
    services = yaml.safe_load(files["docker-compose.yml"])["services"]
    from_labels: dict[str, Any] = {}
    prefix = "traefik.http.middlewares."
    for label, value in services["gateway"]["labels"].items():
        if label.startswith(prefix):
            *path, last = label.removeprefix(prefix).split(".")
            place = from_labels
            for key in path:
                place = place.setdefault(key.lower(), {})
            place[last.lower()] = value.replace("$$", "$")
    expected = middlewares(files)
    expected["gateway"]["chain"]["middlewares"] = ",".join(expected["gateway"]["chain"]["middlewares"])
    check = expected["gateway-check"]["forwardAuth"]
    check["address"] = "http://gateway:9091/api/authz/forward-auth"
    as_labels = {key: value if isinstance(value, str) else json.dumps(value) for key, value in check.items()}
    expected["gateway-check"]["forwardAuth"] = as_labels
    assert from_labels == lower_keys(expected)
    assert services["application"]["labels"]["traefik.http.routers.application.middlewares"] == "gateway@docker"


def test_kubernetes_resources_say_what_the_file_says() -> None:
    files = rendered({"identity_headers": OWN_HEADERS})
    documents = list(yaml.safe_load_all(files["kubernetes.yml"]))
    specs = {
        document["metadata"]["name"]: document["spec"] for document in documents if document["kind"] == "Middleware"
    }
    expected = middlewares(files)
    expected["gateway"]["chain"]["middlewares"] = [{"name": "gateway-check"}, {"name": "gateway-strip"}]
    expected["gateway-check"]["forwardAuth"]["address"] = (
        "http://gateway.default.svc.cluster.local:9091/api/authz/forward-auth"
    )
    assert specs == expected


def test_portal_is_a_placeholder_only_while_the_public_url_is_local() -> None:
    settings: dict[str, object] = {"public_url": "https://login.example.org", "cookie_domain": "example.org"}
    files = rendered(settings, listen="443")
    assert "is a placeholder" in rendered()["gateway.yml"]
    assert "placeholder" not in "".join(files.values())
    assert "Host(`login.example.org`)" in files["gateway.yml"]
    environment = yaml.safe_load(files["docker-compose.yml"])["services"]["gateway"]["environment"]
    assert environment["GATEWAY_PUBLIC_URL"] == "https://login.example.org"
    assert environment["GATEWAY_COOKIE_DOMAIN"] == "example.org"


def test_https_is_spoken_on_the_entry_point_when_the_public_url_is_https() -> None:
    static = yaml.safe_load(rendered({"public_url": "https://auth.example.com"}, listen="443")["traefik.yml"])
    assert static["entryPoints"]["websecure"]["http"]["tls"] == {}
    assert list(yaml.safe_load(rendered()["traefik.yml"])["entryPoints"]) == ["web"]
