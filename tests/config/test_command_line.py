from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from gateway import __version__
from gateway.__main__ import run
from tests.support.commands import run_gateway


@dataclass(frozen=True, slots=True)
class Finished:
    code: int
    out: str
    err: str


Run = Callable[..., Finished]


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in this process, in an empty folder and environment."""
    monkeypatch.chdir(tmp_path)

    def finish(*arguments: str, **environ: str) -> Finished:
        monkeypatch.setattr(os, "environ", environ)
        monkeypatch.setattr(sys, "argv", ["gateway", *arguments])
        code = run()
        return Finished(code, *capsys.readouterr())

    return finish


def test_help_teaches(gateway: Run) -> None:
    finished = gateway("--help")
    assert finished.code == 0
    assert all(words in finished.out for words in ("decides for each request", "gateway demo", "--env-file", "serve"))
    assert gateway("--version").out == f"gateway, version {__version__}\n"


def test_unknown_command_is_named(gateway: Run) -> None:
    finished = gateway("sevre")
    assert finished.code == 2
    assert "No such command 'sevre'. Did you mean serve?" in finished.err
    assert "No such command 'dance'." in gateway("dance").err


@pytest.mark.parametrize(
    "arguments", ["--config g.yaml config check", "config --config g.yaml check", "config check --config g.yaml"]
)
def test_options_stand_before_or_after_the_command(gateway: Run, arguments: str) -> None:
    Path("g.yaml").write_text("public_url: http://auth.example.com")
    finished = gateway(*arguments.split())
    assert finished == Finished(0, "configuration is good, with one warning\n", finished.err)
    assert finished.err.startswith("warning: g.yaml:1: public_url: is http")


def test_env_files_of_all_places_count(gateway: Run) -> None:
    Path("one.env").write_text("GATEWAY_SITE_NAME=One\nGATEWAY_LISTEN=127.0.0.1:1\n")
    Path("two.env").write_text("GATEWAY_SITE_NAME=Two\n")
    shown = gateway("--env-file", "one.env", "config", "show", "--env-file", "two.env").out
    assert "site_name: Two  # two.env:1" in shown
    assert "listen: 127.0.0.1:1  # one.env:2" in shown


def test_two_configuration_files_are_refused(gateway: Run) -> None:
    finished = gateway("--config", "a.yaml", "config", "check", "--config", "b.yaml")
    assert finished.code == 2
    assert "a.yaml is given already" in finished.err


def test_configuration_file_can_be_a_variable(gateway: Run) -> None:
    Path("g.yaml").write_text("site_name: Example")
    assert "site_name: Example  # g.yaml:1" in gateway("config", "show", GATEWAY_CONFIG="g.yaml").out


def test_bad_configuration_is_told_whole(gateway: Run) -> None:
    Path("g.yaml").write_text("listen: nowhere\nlog: {level: loud}\n")
    finished = gateway("--config", "g.yaml", "config", "check")
    assert finished.code == 2
    assert finished.out == ""
    heading, listen, level = finished.err.splitlines()
    assert heading == "The configuration has 2 problems:"
    assert listen.startswith("  g.yaml:1: listen: write host and port")
    assert level.startswith("  g.yaml:2: log.level: must be 'debug'")


def test_shown_settings_hide_secrets_and_name_origins(gateway: Run) -> None:
    Path("g.yaml").write_text("access_control:\n  rules:\n    - {domain: localhost, path: /a, policy: deny}\n")
    shown = gateway(
        "config",
        "show",
        "--config",
        "g.yaml",
        BASIC_AUTH_JWT_SECRET="c2VjcmV0IG9mIHRoZSB0ZXN0cywgMzIgYnl0ZXMgbG9uZw==",
        INITIAL_ORG_ADMIN_EMAIL="admin@example.com",
        INITIAL_ORG_ADMIN_PASSWORD="Correct-Horse#9",
        REDIS_URL="redis+sentinel://me:hunter2@cache:26379/main?sentinel_password=hunter2",
    ).out
    assert "jwt_secret: '********'  # BASIC_AUTH_JWT_SECRET" in shown
    assert "initial_org_admin_password: '********'  # INITIAL_ORG_ADMIN_PASSWORD" in shown
    assert "redis_url: redis+sentinel://********@cache:26379/main  # REDIS_URL" in shown
    assert not any(secret in shown for secret in ("c2Vj", "Correct", "hunter2"))
    values = yaml.safe_load(shown)
    assert values["listen"] == "127.0.0.1:9091"
    assert values["session"]["idle_timeout"] == "12h"
    assert values["access_control"]["rules"] == [{"domain": ["localhost"], "path": ["/a"], "policy": "deny"}]


def test_what_is_shown_is_a_configuration_again(gateway: Run) -> None:
    Path("shown.yaml").write_text(gateway("config", "show").out)
    assert gateway("config", "check", "--config", "shown.yaml") == Finished(0, "configuration is good\n", "")


async def test_bad_configuration_ends_the_process_without_a_traceback() -> None:
    finished = await run_gateway("config", "check", environ={"GATEWAY_LISTEN": "nowhere"})
    assert finished.code == 2
    assert "Traceback" not in finished.err
    assert "GATEWAY_LISTEN: listen: write host and port" in finished.err
