"""The labels of docker-compose.yml, read by the real Traefik from a Docker that a stand-in plays."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import yaml

from gateway.config.settings import Settings
from gateway.demo.nginx import listen_on_loopback
from gateway.proxy_config.traefik import render
from tests.support.protected_site import HOST, PORTAL, ProtectedSite, show, values_of
from tests.support.stages import ALLOW
from tests.support.threaded_server import Received, Reply, answering
from tests.support.traefik import traefik_running

if TYPE_CHECKING:
    from pathlib import Path

NETWORK = "gateway"


def docker(services: dict[str, Any]) -> dict[str, Any]:
    """Give what Docker answers to each path, for containers that are all on this machine."""
    network = {NETWORK: {"IPAddress": "127.0.0.1", "NetworkID": "n1"}}
    containers = {name: service for name, service in services.items() if "labels" in service}
    answers: dict[str, Any] = {
        "/version": {"Version": "28.0", "ApiVersion": "1.44", "MinAPIVersion": "1.24"},
        "/containers/json": [{"Id": name, "Names": [f"/{name}"], "State": "running"} for name in containers],
    }
    for name, service in containers.items():
        labels = {key: value.replace("$$", "$") for key, value in service["labels"].items()}
        answers[f"/containers/{name}/json"] = {
            "Id": name,
            "Name": f"/{name}",
            "State": {"Status": "running", "Running": True},
            "Config": {"Labels": labels},
            "HostConfig": {"NetworkMode": NETWORK},
            "NetworkSettings": {"Networks": network, "Ports": {}},
        }
    return answers


def test_labels_protect_the_application(tmp_path: Path) -> None:
    listener = listen_on_loopback(0)
    port = listener.getsockname()[1]
    with answering(lambda _: ALLOW) as gateway, answering(show) as application:
        files = render(
            Settings.model_validate({"data_dir": str(tmp_path), "listen": f"127.0.0.1:{gateway.port}"}),
            site=HOST,
            application=f"http://127.0.0.1:{application.port}",
            listen=f"127.0.0.1:{port}",
        )
        compose = yaml.safe_load(files["docker-compose.yml"].replace("http://gateway:", "http://127.0.0.1:"))
        answers = docker(compose["services"])

        def play(received: Received) -> Reply:
            path = re.sub(r"^/v1\.\d+", "", unquote(urlsplit(received.target).path))
            if path == "/_ping":
                return Reply(200, (("Api-Version", "1.44"),), b"OK")
            found = answers.get(path)
            return (
                Reply(404)
                if found is None
                else Reply(200, (("Content-Type", "application/json"),), json.dumps(found).encode())
            )

        with answering(play) as daemon:
            provider = (
                f"  docker: {{endpoint: 'tcp://127.0.0.1:{daemon.port}', exposedByDefault: false, watch: false}}\n"
            )
            static = files["traefik.yml"].partition("providers:\n")[0] + "providers:\n" + provider
            with traefik_running(listener, {"traefik.yml": static}):
                site = ProtectedSite(port, application)
                answer = site.ask("GET /", "Remote.User: forged", "X-Forwarded-User: forged", "Remote-Role: forged")
                refused = site.ask("GET /api/authz/forward-auth", host=PORTAL)
    assert (answer.status, refused.status) == (200, 404)
    headers = [(name, value) for name, value in answer.json["headers"]]
    assert values_of(headers, "Remote-User") == ["alice"]
    assert "forged" not in str(headers)
    assert [request.target for request in gateway.received if request.target.startswith("/api/")] == [
        "/api/authz/forward-auth"
    ]
