"""What people copy from LangSmith's page on basic authentication is taken as it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.config.conftest import Load, Refused
from tests.support.commands import run_gateway, serving_process

_EMAIL = "admin@example.com"
_PASSWORD = "Correct-Horse#9"
_SECRET = "c2VjcmV0IG9mIHRoZSB0ZXN0cywgMzIgYnl0ZXMgbG9uZw=="

_HELM = """\
config:
  authType: mixed
  basicAuth:
    enabled: true
    initialOrgAdminEmail: <YOUR EMAIL ADDRESS>
    initialOrgAdminPassword: <PASSWORD> # Must be at least 12 characters long and have at least one lowercase, uppercase, and symbol
    jwtSecret: <SECRET>
"""  # noqa: E501 - verbatim

_ENV = """\
# In your .env file
AUTH_TYPE=mixed
BASIC_AUTH_ENABLED=true
INITIAL_ORG_ADMIN_EMAIL=<YOUR EMAIL ADDRESS>
INITIAL_ORG_ADMIN_PASSWORD=<PASSWORD> # Must be at least 12 characters long and have at least one lowercase, uppercase, and symbol
BASIC_AUTH_JWT_SECRET=<SECRET>
"""  # noqa: E501 - verbatim


def _filled(snippet: str) -> str:
    filled = snippet.replace("<YOUR EMAIL ADDRESS>", _EMAIL).replace("<PASSWORD>", _PASSWORD)
    return filled.replace("<SECRET>", _SECRET)


@pytest.mark.parametrize("source", ["file", "env_file"])
def test_snippet_with_its_placeholders_filled_in(load: Load, source: str) -> None:
    loaded = load(_filled(_HELM)) if source == "file" else load(env_file=_filled(_ENV))
    basic_auth = loaded.settings.basic_auth
    assert loaded.settings.auth_type == "mixed"
    assert basic_auth.enabled
    assert basic_auth.initial_org_admin_email == _EMAIL
    assert basic_auth.initial_org_admin_password is not None
    assert basic_auth.initial_org_admin_password.get_secret_value() == _PASSWORD
    assert basic_auth.jwt_secret is not None
    assert basic_auth.jwt_secret.get_secret_value() == _SECRET
    assert not loaded.warnings


def test_block_that_lost_its_indentation_in_copying_means_the_same(load: Load) -> None:
    flat = "\n".join(map(str.lstrip, _filled(_HELM).splitlines()))
    assert load(flat).settings == load(_filled(_HELM)).settings


@pytest.mark.parametrize("source", ["file", "env_file"])
async def test_gateway_starts_with_the_snippet_as_it_is_written(tmp_path: Path, source: str) -> None:
    """As people do it: write the snippet to a file, run bootstrap, start, log in."""
    file = tmp_path / ("gateway.yaml" if source == "file" else ".env")
    file.write_text(_filled(_HELM if source == "file" else _ENV))
    option = "--config" if source == "file" else "--env-file"
    environ = {"GATEWAY_DATA_DIR": str(tmp_path / "data"), "GATEWAY_LISTEN": "127.0.0.1:0"}
    made = await run_gateway("bootstrap", option, str(file), environ=environ)
    assert made.code == 0, made.err
    assert f"Created {_EMAIL} with the role Organization Admin." in made.out
    async with serving_process("serve", option, str(file), environ=environ) as url, ClientSession() as client:
        login = await client.post(f"{url}/api/auth/login", json={"email": _EMAIL, "password": _PASSWORD})
        bearer = {"Authorization": f"Bearer {(await login.json())['token']}"}
        answer = await (await client.get(f"{url}/api/v1/orgs/current/members", headers=bearer)).json()
    assert [(one["email"], one["role"]) for one in answer["members"]] == [(_EMAIL, "Organization Admin")]


def test_placeholders_left_in_the_helm_block_are_refused(refused: Refused) -> None:
    email, password, secret = refused(_HELM)
    assert email.startswith("gateway.yaml:5: basic_auth.initial_org_admin_email: ")
    assert password.startswith("gateway.yaml:6: basic_auth.initial_org_admin_password: It must have at least 12")
    assert secret.startswith("gateway.yaml:7: basic_auth.jwt_secret: is a placeholder")


def test_placeholders_left_in_the_env_file_are_refused(refused: Refused) -> None:
    email, password, secret = refused(env_file=_ENV)
    assert email.startswith(".env:4: basic_auth.initial_org_admin_email: ")
    assert password.startswith(".env:5: basic_auth.initial_org_admin_password: It must have at least 12")
    assert secret.startswith(".env:6: basic_auth.jwt_secret: is a placeholder")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "config:\n  authTyp: mixed\n",
            "gateway.yaml:2: config.authTyp: there is no such setting: did you mean config.a",
        ),
        ("config:\n  basicAuth:\n    jwt: x\n", "gateway.yaml:3: config.basicAuth.jwt: there is no such setting"),
        ("config: mixed\n", "gateway.yaml:1: config: must be a mapping of keys"),
        ("config:\n  basicAuth: true\n", "gateway.yaml:2: config.basicAuth: must be a mapping of keys"),
        (
            "auth_type: mixed\nconfig:\n  authType: mixed\n",
            "gateway.yaml:3: config.authType: is set as auth_type in gateway.yaml:1 already",
        ),
        ("authType: mixed\n", "gateway.yaml:1: authType: belongs below `config:`, indented"),
    ],
)
def test_bad_helm_block_is_refused(refused: Refused, text: str, problem: str) -> None:
    [said] = refused(text)
    assert said.startswith(problem)


def test_email_and_password_come_together(refused: Refused) -> None:
    [said] = refused("basic_auth:\n  initial_org_admin_email: a@example.com\n")
    assert "basic_auth.initial_org_admin_password: is missing" in said
    [said] = refused(INITIAL_ORG_ADMIN_PASSWORD=_PASSWORD)
    assert said.startswith("INITIAL_ORG_ADMIN_PASSWORD: ")
    assert "without initial_org_admin_email" in said


def test_each_broken_password_rule_is_named(refused: Refused) -> None:
    [said] = refused(INITIAL_ORG_ADMIN_EMAIL=_EMAIL, INITIAL_ORG_ADMIN_PASSWORD="short")
    assert "It must have at least 12 characters. It must have an upper-case letter. It must have a symbol" in said


@pytest.mark.parametrize(
    "secret",
    [
        "changeme",
        "CHANGE-ME",
        "secret",
        "your_jwt_secret",
        "super-secret-key",
        "<SECRET>",
        "<your secret here>",
        "${JWT_SECRET}",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "password123",
        "qwertyuiop",
        "16f8c0ef4a5d391b26034086c628469d3f9f497f08163ab9b40137092f2909ef",
        "eaa5191f2914e30b9387fd84e254e4ba6fc51b4654968a9b0803b456a54b8418",
        "EAA5191F2914E30B9387FD84E254E4BA6FC51B4654968A9B0803B456A54B8418",
        "your-256-bit-secret",
        " secret ",
    ],
)
def test_well_known_secret_is_refused(refused: Refused, secret: str) -> None:
    """J8."""
    [said] = refused(BASIC_AUTH_JWT_SECRET=secret)
    assert said.startswith("BASIC_AUTH_JWT_SECRET: basic_auth.jwt_secret: is a placeholder or a published example")
    assert "openssl rand -base64 32" in said


def test_blank_secret_is_refused(refused: Refused) -> None:
    [said] = refused(BASIC_AUTH_JWT_SECRET="   ")
    assert "is empty" in said


@pytest.mark.parametrize("source", ["file", "env_file", "environ"])
def test_secrets_are_never_said(load: Load, refused: Refused, source: str) -> None:
    leaks = {
        "INITIAL_ORG_ADMIN_PASSWORD": "hunter2hunter2",
        "BASIC_AUTH_JWT_SECRET": "password123",
        "DATABASE_URL": "mysql://gateway:hunter2@db/gateway",
        "REDIS_URL": "hunter2@redis",
    }
    file = "\n".join(
        (
            "basic_auth:",
            f"  initial_org_admin_password: {leaks['INITIAL_ORG_ADMIN_PASSWORD']}",
            f"  jwt_secret: {leaks['BASIC_AUTH_JWT_SECRET']}",
            f"database_url: {leaks['DATABASE_URL']}",
            f"redis_url: {leaks['REDIS_URL']}",
        )
    )
    match source:
        case "file":
            said = refused(file)
        case "env_file":
            said = refused(env_file="\n".join(f"{name}={value}" for name, value in leaks.items()))
        case _:
            said = refused(**leaks)
    assert len(said) == 4
    assert not any(value in problem for value in ("hunter2", "password123") for problem in said)
    loaded = load(INITIAL_ORG_ADMIN_EMAIL=_EMAIL, INITIAL_ORG_ADMIN_PASSWORD=_PASSWORD, BASIC_AUTH_JWT_SECRET=_SECRET)
    assert _PASSWORD not in repr(loaded)
    assert _SECRET not in repr(loaded)


@pytest.mark.parametrize("value", ["123456789012", "[hunter2]", "{hunter2: x}", "1.5"])
def test_secret_of_another_type_is_not_said_either(refused: Refused, value: str) -> None:
    said = "\n".join(refused(f"basic_auth:\n  jwt_secret: {value}\n"))
    assert "gateway.yaml:2: basic_auth.jwt_secret: must be text" in said
    assert value.strip("[]") not in said
