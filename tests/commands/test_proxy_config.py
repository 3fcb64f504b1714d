"""`gateway proxy-config` prints its files, or writes them without destroying others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from gateway.commands.proxy_config import proxy_config

if TYPE_CHECKING:
    from pathlib import Path


def run(*arguments: str, proxy: str = "nginx") -> Result:
    return CliRunner().invoke(proxy_config, [proxy, *arguments])


def test_every_file_is_printed_under_its_name() -> None:
    result = run("--site", "wiki.example.org", "--application", "http://10.0.0.7:3000", "--listen", "80")
    assert result.exit_code == 0
    for name in ("gateway.conf", "gateway-server.conf", "gateway-location.conf", "gateway-protect.conf"):
        assert f"{name} ##" in result.output
    assert "server_name wiki.example.org;" in result.output
    assert "server 10.0.0.7:3000;" in result.output
    assert "listen 80;" in result.output


def test_several_gateways_are_each_named(tmp_path: Path) -> None:
    gateways = ("--gateway", "http://10.0.0.5:9091", "--gateway", "http://10.0.0.6:9091")
    assert run(*gateways, "--portal-listen", "8443", "--output", str(tmp_path)).exit_code == 0
    written = (tmp_path / "gateway.conf").read_text()
    for address in ("10.0.0.5:9091", "10.0.0.6:9091"):
        assert f"server {address};" in written
    assert "listen 8443;" in written
    refused = run("--gateway", "https://10.0.0.5")
    assert (refused.exit_code, "a gateway is written as" in refused.output) == (2, True)


def test_traefiks_files_are_printed_under_their_names() -> None:
    said = ("--site", "wiki.example.org", "--application", "http://10.0.0.7:3000", "--listen", "127.0.0.1:80")
    result = run(*said, proxy="traefik")
    assert result.exit_code == 0
    for name in ("traefik.yml", "gateway.yml", "docker-compose.yml", "kubernetes.yml"):
        assert f"{name} ##" in result.output
    assert "Host(`wiki.example.org`)" in result.output
    assert "url: http://10.0.0.7:3000" in result.output
    assert 'address: "127.0.0.1:80"' in result.output


def test_settings_decide_what_traefik_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GATEWAY_PUBLIC_URL", "https://login.example.org")
    monkeypatch.setenv("GATEWAY_LISTEN", "127.0.0.1:9999")
    said = ("--certificate", "/tls/chain.pem", "--certificate-key", "/tls/key.pem", "--output", str(tmp_path))
    assert run(*said, proxy="traefik").exit_code == 0
    dynamic = (tmp_path / "gateway.yml").read_text()
    assert "address: http://127.0.0.1:9999/api/authz/forward-auth" in dynamic
    assert "Host(`login.example.org`)" in dynamic
    assert "certFile: /tls/chain.pem" in dynamic
    assert 'address: ":443"' in (tmp_path / "traefik.yml").read_text()


def test_settings_decide_what_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_PUBLIC_URL", "https://login.example.org")
    monkeypatch.setenv("GATEWAY_LISTEN", "127.0.0.1:9999")
    result = run("--certificate", "/tls/chain.pem", "--certificate-key", "/tls/key.pem")
    assert "server 127.0.0.1:9999" in result.output
    assert "server_name login.example.org;" in result.output
    assert "listen 443 ssl;" in result.output
    assert "ssl_certificate     /tls/chain.pem;" in result.output


def test_files_are_written_and_a_second_run_changes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    assert run("--output", str(folder)).exit_code == 0
    assert (folder / "snippets" / "gateway-protect.conf").exists()
    again = run("--output", str(folder))
    assert (again.exit_code, "up to date" in again.output) == (0, True)


def test_differing_file_is_kept_unless_forced(tmp_path: Path) -> None:
    mine = tmp_path / "gateway.conf"
    mine.write_text("# mine\n")
    refused = run("--output", str(tmp_path))
    assert refused.exit_code == 1
    assert str(mine) in refused.output
    assert "--force" in refused.output
    assert list(tmp_path.iterdir()) == [mine], "all files or none"
    assert mine.read_text() == "# mine\n"
    assert run("--output", str(tmp_path), "--force").exit_code == 0
    assert mine.read_text() != "# mine\n"


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--site", "app example", "host"),
        ("--application", "http://app/path", "without a path"),
        ("--listen", "0", "port"),
    ],
)
@pytest.mark.parametrize("proxy", ["nginx", "traefik"])
def test_what_cannot_be_read_is_refused_with_a_sentence(*, proxy: str, option: str, value: str, said: str) -> None:
    result = run(option, value, proxy=proxy)
    assert result.exit_code == 2
    assert said in result.output


def test_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "snippets").write_text("a file where a folder belongs")
    result = run("--output", str(tmp_path))
    assert result.exit_code == 1
    assert "snippets" in result.output
    assert "Traceback" not in result.output
