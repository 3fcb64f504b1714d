"""An installation that asks nobody for a login, and what may become of one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from gateway.config.database_url import SqliteFile
from gateway.errors import ModeRefused
from gateway.storage.database import Database
from gateway.storage.organizations import find_organization
from gateway.storage.workspaces import list_workspaces
from tests.support.commands import run_gateway, start_command
from tests.support.forms import Person
from tests.support.gateway import APP_URL, PUBLIC_URL, Gateway, environment, start_gateway
from tests.support.modes import DEFAULT_EMAIL, DEFAULT_WORKSPACE, without_logins

_RULES = """\
access_control:
  default_policy: one_factor
  rules:
    - {domain: vault.example.com, policy: two_factor}
    - {domain: people.example.com, credentials: [session], policy: one_factor}
    - {domain: programs.example.com, credentials: [api_key], policy: one_factor}
    - {domain: closed.example.com, policy: deny}
"""
_OAUTH = {"AUTH_TYPE": "oauth", "OAUTH_CLIENT_ID": "gateway", "OAUTH_ISSUER_URL": "https://login.example.com"}
_NAVIGATION = {"Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
_EVIL = "http://evil.example"


@pytest.fixture
async def open_gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    """Run a gateway without logins, in front of applications of several kinds."""
    (tmp_path / "rules.yaml").write_text(_RULES)
    async with start_gateway(without_logins(tmp_path / "data"), config=tmp_path / "rules.yaml") as running:
        yield running


async def _key(gateway: Gateway, **headers: str) -> str:
    response = await gateway.client.post(f"{gateway.url}/api/api-keys", json={"name": "nightly"}, headers=headers)
    assert response.status == HTTPStatus.CREATED, await response.text()
    return str((await response.json())["key"])


async def _code(gateway: Gateway, path: str, *, method: str = "GET", **headers: str) -> tuple[int, str | None]:
    response = await gateway.ask(path, method=method, **headers)
    body = await response.json()
    return response.status, body.get("code") if isinstance(body, dict) else None


async def test_whoever_asks_without_a_credential_is_the_default_user(open_gateway: Gateway) -> None:
    user = await (await open_gateway.ask("/api/user")).json()
    assert (user["email"], user["name"], user["role"]) == (DEFAULT_EMAIL, "Default user", "admin")
    organization = await (await open_gateway.ask("/api/v1/orgs/current")).json()
    assert (organization["display_name"], organization["role"]) == ("Default", "Organization Admin")


async def test_the_workspace_has_the_id_that_applications_know(open_gateway: Gateway) -> None:
    database = Database.open(open_gateway.settings.database)
    try:
        async with database.read() as connection:
            [workspace] = await list_workspaces(connection)
    finally:
        await database.close()
    assert (workspace.id, workspace.display_name) == (DEFAULT_WORKSPACE, "Default")


async def test_applications_see_the_default_user(open_gateway: Gateway) -> None:
    response = await open_gateway.check()
    assert response.status == HTTPStatus.OK
    seen = {name: response.headers[f"Remote-{name}"] for name in ("User", "Name", "Role", "Workspace")}
    assert seen == {
        "User": DEFAULT_EMAIL,
        "Name": "Default user",
        "Role": "Organization Admin",
        "Workspace": "Default",
    }
    assert (response.headers["Remote-Auth-Method"], response.headers["Remote-Auth-Level"]) == ("none", "1")


@pytest.mark.parametrize(
    ("host", "status", "reason"),
    [
        ("people", 200, None),
        ("programs", 401, "unauthorized"),
        ("vault", 403, "second_factor_required"),
        ("closed", 403, "forbidden"),
    ],
)
async def test_rules_apply_to_the_default_user(
    open_gateway: Gateway, host: str, status: int, reason: str | None
) -> None:
    response = await open_gateway.check(f"http://{host}.example.com/")
    assert (response.status, response.headers.get("X-Auth-Reason")) == (status, reason)


@pytest.mark.parametrize("endpoint", ["auth-request", "forward-auth"])
@pytest.mark.parametrize("host", ["programs", "vault", "closed"])
async def test_refused_browser_is_sent_to_no_login(open_gateway: Gateway, host: str, endpoint: str) -> None:
    """Where nobody logs in it would come straight back, and again."""
    asked = {
        "X-Original-URL": f"http://{host}.example.com/",
        "X-Original-Method": "GET",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": f"{host}.example.com",
        "X-Forwarded-Uri": "/",
        "X-Forwarded-Method": "GET",
        "Accept": "text/html",
        **{name.replace("_", "-"): value for name, value in _NAVIGATION.items()},
    }
    url = f"{open_gateway.url}/api/authz/{endpoint}"
    response = await open_gateway.client.get(url, headers=asked, allow_redirects=False)
    assert response.status in {401, 403}
    assert response.headers.get("X-Auth-Challenge") in {None, "json"}


async def test_key_of_the_default_user_counts_where_keys_do(open_gateway: Gateway) -> None:
    key = await _key(open_gateway)
    response = await open_gateway.check("http://programs.example.com/", X_API_Key=key)
    assert (response.status, response.headers["Remote-Auth-Method"]) == (200, "api_key")
    assert (await open_gateway.check("http://programs.example.com/", X_API_Key=f"{key[:-1]}~")).status == 401


@pytest.mark.parametrize("header", ["Bearer lc_ak_unknown", "Bearer x", "Basic eDp5", ""])
async def test_credential_that_is_sent_decides(open_gateway: Gateway, header: str) -> None:
    assert (await _code(open_gateway, "/api/user", Authorization=header))[0] == HTTPStatus.UNAUTHORIZED


async def test_leftover_cookie_keeps_nobody_out(open_gateway: Gateway) -> None:
    response = await open_gateway.check(Cookie="gateway_session=left-from-elsewhere")
    assert response.headers["Remote-Auth-Method"] == "none"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/auth/login"),
        ("POST", "/api/auth/logout"),
        ("POST", "/api/auth/refresh"),
        ("POST", "/api/auth/register"),
        ("POST", "/api/user/verify"),
        ("POST", "/api/user/verify/resend"),
        ("POST", "/api/auth/requestPasswordReset"),
        ("POST", "/api/auth/resetPassword"),
        ("POST", "/api/auth/changePassword"),
        ("GET", "/api/auth/2fa/enable"),
        ("POST", "/api/auth/2fa/enable"),
        ("POST", "/api/auth/2fa/verify"),
        ("POST", "/api/auth/2fa/confirm"),
        ("POST", "/api/auth/2fa/disable"),
        ("POST", "/api/auth/2fa/backup/regenerate"),
        ("POST", "/api/auth/2fa/verify-temp"),
        ("GET", "/api/auth/sessions"),
        ("DELETE", "/api/auth/sessions/some"),
        ("POST", "/api/auth/sessions/revoke-others"),
        ("POST", "/login"),
        ("GET", "/register"),
        ("POST", "/register"),
        ("GET", "/verify"),
        ("GET", "/forgot-password"),
        ("GET", "/reset-password"),
        ("GET", "/change-password"),
        ("GET", "/second-factor"),
        ("GET", "/login/second-factor"),
    ],
)
async def test_what_is_about_logins_says_that_none_is_needed(open_gateway: Gateway, method: str, path: str) -> None:
    assert await _code(open_gateway, path, method=method) == (HTTPStatus.FORBIDDEN, "login_not_needed")


async def test_login_page_says_that_no_login_is_needed_and_leads_back(open_gateway: Gateway) -> None:
    person = Person(open_gateway)
    page = await (await person.open("/login?rd=http://localhost:9091/docs")).text()
    assert "No login is needed" in page
    assert '<a class="button" href="http://localhost:9091/docs">' in page
    assert "evil" not in await (await person.open(f"/login?rd={_EVIL}")).text()
    home = await (await person.open("/")).text()
    assert "Default user" in home
    assert "Log out" not in home


async def test_denied_page_offers_no_login(open_gateway: Gateway) -> None:
    page = await (await Person(open_gateway).open("/denied/a1?reason=forbidden", **_NAVIGATION)).text()
    assert "Default user" in page
    assert "Log in</a>" not in page
    assert "Log out" not in page
    assert "Logged in as" not in page


async def test_clients_learn_that_there_is_no_login_form(tmp_path: Path) -> None:
    switched_on = {"ALLOW_REGISTRATION": "true", "ALLOW_PASSWORD_RESET": "true", "ALLOW_EMAIL_LOGIN": "true"}
    async with start_gateway(without_logins(tmp_path, **switched_on)) as running:
        config = await (await running.ask("/api/config")).json()
    names = ("emailLoginEnabled", "registrationEnabled", "passwordResetEnabled")
    assert [config[name] for name in names] == [False, False, False]


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({}, True),
        ({"Sec_Fetch_Site": "none"}, True),
        ({"Sec_Fetch_Site": "same-origin", "Origin": PUBLIC_URL}, True),
        ({"Sec_Fetch_Site": "same-site"}, False),
        ({"Sec_Fetch_Site": "cross-site"}, False),
        ({"Origin": _EVIL}, False),
        ({"Origin": "null"}, False),
        ({"Host": "localhost"}, True),
        ({"Host": "gateway.localhost:1"}, True),
        ({"Host": "192.0.2.7:9091"}, True),
        ({"Host": "[2001:db8::1]"}, True),
        ({"Host": "evil.example"}, False),
        ({"Host": "localhost.evil.example"}, False),
        ({"Host": "192.0.2.7.evil.example:9091"}, False),
        ({"Host": "not a host"}, False),
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_page_of_another_site_is_not_the_default_user(
    open_gateway: Gateway,
    headers: dict[str, str],
    passes: bool,  # noqa: FBT001 - a table
    method: str,
) -> None:
    """Any web page can make its visitor's browser ask, and lead a name of its own here (DNS rebinding)."""
    path = "/api/api-keys"
    response = await open_gateway.client.request(
        method,
        f"{open_gateway.url}{path}",
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        json={"name": "nightly"} if method == "POST" else None,
    )
    if passes:
        assert response.status in {200, 201}, await response.text()
    else:
        assert (response.status, (await response.json()).get("code")) == (403, "cross_origin")
    keys: list[Any] = await (await open_gateway.ask(path)).json()
    assert len(keys) == (1 if passes and method == "POST" else 0)


async def test_public_host_counts_whatever_it_is(tmp_path: Path) -> None:
    environ = without_logins(tmp_path, GATEWAY_PUBLIC_URL="http://auth.example.com:9091")
    async with start_gateway(environ) as running:
        assert (await running.ask("/api/user", Host="auth.example.com:9091")).status == HTTPStatus.OK
        assert (await running.ask("/api/user", Host="other.example.com")).status == HTTPStatus.FORBIDDEN


async def _start(environ: dict[str, str]) -> None:
    async with start_gateway(environ):
        pass


@pytest.mark.parametrize(
    ("stored", "configured", "set_again"),
    [
        ("basic", "none", "Set AUTH_TYPE=mixed (without any OAUTH_… value) again"),
        ("basic", "oauth", "Set AUTH_TYPE=mixed (without any OAUTH_… value) again"),
        ("none", "oauth", "Set AUTH_TYPE=none again"),
        ("oauth", "none", "Set AUTH_TYPE=oauth again"),
        ("oauth", "basic", "Set AUTH_TYPE=oauth again"),
    ],
)
async def test_installation_stays_what_it_was_made_as(
    tmp_path: Path, stored: str, configured: str, set_again: str
) -> None:
    environs = {
        "basic": environment(tmp_path),
        "none": without_logins(tmp_path),
        "oauth": {**without_logins(tmp_path), **_OAUTH},
    }
    await _start(environs["none" if stored == "none" else "basic"])
    if stored == "oauth":
        await _pretend_oauth(tmp_path)
    with pytest.raises(ModeRefused) as refused:
        await _start(environs[configured])
    assert set_again in str(refused.value)
    assert "DATABASE_URL, or another GATEWAY_DATA_DIR" in str(refused.value)
    assert await _stored_mode(tmp_path) == stored


async def _pretend_oauth(folder: Path) -> None:
    database = Database.open(SqliteFile(folder / "gateway.db"))
    try:
        async with database.write() as connection:
            await connection.exec_driver_sql("UPDATE organizations SET auth_mode = 'oauth'")
    finally:
        await database.close()


async def _stored_mode(folder: Path) -> str | None:
    database = Database.open(SqliteFile(folder / "gateway.db"))
    try:
        async with database.read() as connection:
            organization = await find_organization(connection)
    finally:
        await database.close()
    return None if organization is None else organization.mode.value


async def test_oauth_comes_with_a_later_version_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(ModeRefused, match="comes with a later version"):
        await _start({**without_logins(tmp_path), **_OAUTH})
    assert await _stored_mode(tmp_path) is None
    await _start(environment(tmp_path))
    assert await _stored_mode(tmp_path) == "basic"


async def test_refused_mode_is_said_by_the_command(tmp_path: Path) -> None:
    await _start(environment(tmp_path))
    finished = await run_gateway("serve", environ=without_logins(tmp_path))
    assert finished.code == 1
    assert "Error: the configuration says AUTH_TYPE=none" in finished.err
    assert "Traceback" not in finished.err


@pytest.mark.parametrize(("listen", "loud"), [("127.0.0.1:0", False), ("0.0.0.0:0", True)])
async def test_open_gateway_says_so_when_it_starts(tmp_path: Path, listen: str, loud: bool) -> None:  # noqa: FBT001 - a table
    process = await start_command("serve", environ=without_logins(tmp_path, GATEWAY_LISTEN=listen))
    assert process.stdout is not None
    assert b"Gateway listens on" in await process.stdout.readline()
    process.terminate()
    _, err = await process.communicate()
    assert ("!!!!" in err.decode()) is loud
    assert ("EVERYBODY who reaches this address is the Organization Admin" in err.decode()) is loud
    assert ("Nobody has to log in" in err.decode()) is not loud


async def test_overview_shows_mode_workspaces_and_roles(open_gateway: Gateway) -> None:
    environ = {"GATEWAY_DATA_DIR": str(open_gateway.settings.data_dir)}
    finished = await run_gateway("org", "show", "--json", environ=environ)
    assert finished.code == 0, finished.err
    shown = finished.json
    assert (shown["display_name"], shown["mode"]) == ("Default", "none")
    assert [workspace["id"] for workspace in shown["workspaces"]] == [DEFAULT_WORKSPACE]
    assert shown["members"]["Organization Admin"] == 1
    assert "mode none" in (await run_gateway("org", "show", environ=environ)).out


async def test_application_without_rules_is_open_to_everybody(tmp_path: Path) -> None:
    async with start_gateway(without_logins(tmp_path)) as running:
        assert (await running.check(APP_URL)).status == HTTPStatus.OK


@pytest.mark.parametrize(
    ("method", "change"),
    [("PATCH", {"role": "Organization Viewer"}), ("PATCH", {"disabled": True}), ("DELETE", None)],
)
async def test_default_user_stays_what_they_are_whoever_else_is_there(
    open_gateway: Gateway, method: str, change: dict[str, object] | None
) -> None:
    """Nobody can become another administrator here, so that they do not count."""
    invited = {"email": "second@example.com", "role": "Organization Admin"}
    members = f"{open_gateway.url}/api/v1/orgs/current/members"
    assert (await open_gateway.client.post(f"{members}/basic", json=invited)).status == HTTPStatus.OK
    before = await (await open_gateway.ask("/api/user")).json()
    refused = await open_gateway.client.request(method, f"{members}/{before['id']}", json=change)
    assert refused.status == HTTPStatus.CONFLICT, await refused.text()
    data_dir = {"GATEWAY_DATA_DIR": str(open_gateway.settings.data_dir)}
    banned = await run_gateway("ban", DEFAULT_EMAIL, "--for", "1h", environ=data_dir)
    assert (banned.code, "default user" in banned.err) == (1, True), banned.err
    assert await (await open_gateway.ask("/api/user")).json() == before
