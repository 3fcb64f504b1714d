"""An installation without logins begins to ask for them, and keeps everything that it has."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

import pytest

from gateway.config.database_url import SqliteFile
from gateway.config.loading import load_settings
from gateway.config.secrets import load_secrets
from gateway.errors import ModeRefused
from gateway.models import OrganizationRole
from gateway.preparation import Prepared, prepare
from gateway.storage.accounts import create_account, find_account_by_email, set_disabled
from gateway.storage.database import Database
from gateway.storage.default_account import find_default_account
from tests.support.commands import run_command, run_gateway
from tests.support.gateway import ADMIN_EMAIL, ADMIN_PASSWORD, Gateway, environment, start_gateway
from tests.support.modes import DEFAULT_EMAIL, DEFAULT_WORKSPACE, without_logins
from tests.support.waiting import wait_until

_LIMITS = {"pat_creation_disabled": False, "max_pat_expiry_days": 90}


async def _made_without_logins(folder: Path) -> None:
    """Start once without logins, so that there is an installation."""
    async with start_gateway(without_logins(folder)):
        pass


async def _post(gateway: Gateway, path: str, **body: object) -> dict[str, object]:
    response = await gateway.client.post(f"{gateway.url}{path}", json=body)
    assert response.status in {HTTPStatus.OK, HTTPStatus.CREATED}, await response.text()
    answer: dict[str, object] = await response.json()
    return answer


async def _prepare(environ: dict[str, str]) -> Prepared:
    settings = load_settings(None, (), environ).settings
    database = Database.open(settings.database)
    try:
        return await prepare(settings, load_secrets(settings), database)
    finally:
        await database.close()


async def _keys(gateway: Gateway, **headers: str) -> list[tuple[str, str]]:
    answer = await (await gateway.ask("/api/api-keys", **headers)).json()
    return [(key["id"], key["name"]) for key in answer]


@pytest.mark.both_databases
@pytest.mark.usefixtures("gateways_database")
async def test_everything_is_there_after_the_change(tmp_path: Path) -> None:
    async with start_gateway(without_logins(tmp_path)) as before:
        user = await (await before.ask("/api/user")).json()
        kept_key = str((await _post(before, "/api/api-keys", name="kept"))["key"])
        await _post(before, "/api/api-keys", name="another")
        second = await _post(before, "/api/v1/workspaces", display_name="Second")
        await before.client.patch(f"{before.url}/api/v1/orgs/current/info", json=_LIMITS)
        await run_command(before, "group", "add", "auditors")
        await run_command(before, "group", "add-member", "auditors", DEFAULT_EMAIL)
        assert (await before.check(X_API_Key=kept_key)).status == HTTPStatus.OK
        keys = await _keys(before)
        workspaces = await (await before.ask("/api/v1/workspaces")).json()
        organization = await (await before.ask("/api/v1/orgs/current")).json()
        info = await (await before.ask("/api/v1/orgs/current/info")).json()
    async with start_gateway(environment(tmp_path)) as after:
        check = await after.check(X_API_Key=kept_key)
        assert (check.status, check.headers["Remote-User"]) == (HTTPStatus.OK, ADMIN_EMAIL)
        assert check.headers["Remote-Groups"] == "auditors"
        for path in ("/api/user", "/api/api-keys", "/api/v1/workspaces"):
            assert (await after.ask(path)).status == HTTPStatus.UNAUTHORIZED, path
        assert (await after.check()).status == HTTPStatus.UNAUTHORIZED
        bearer = (await after.session()).bearer
        known = await (await after.ask("/api/user", Authorization=bearer)).json()
        assert (known["id"], known["name"], known["mustChangePassword"]) == (user["id"], "Administrator", False)
        now = await (await after.ask("/api/v1/orgs/current", Authorization=bearer)).json()
        assert now == {**organization, "auth_mode": "basic"}
        assert now["role"] == "Organization Admin"
        assert await (await after.ask("/api/v1/orgs/current/info", Authorization=bearer)).json() == info
        assert info["max_pat_expiry_days"] == _LIMITS["max_pat_expiry_days"]
        assert await (await after.ask("/api/v1/workspaces", Authorization=bearer)).json() == workspaces
        assert [workspace["id"] for workspace in workspaces] == [DEFAULT_WORKSPACE, second["id"]]
        assert await _keys(after, Authorization=bearer) == keys
        shown = await run_command(after, "group", "show", "auditors", "--json")
        assert shown.json["members"] == [ADMIN_EMAIL]


async def test_gateway_that_still_runs_without_logins_lets_nobody_in_any_more(tmp_path: Path) -> None:
    async with start_gateway(without_logins(tmp_path)) as old:
        assert (await old.ask("/api/user")).status == HTTPStatus.OK
        assert (await old.check()).status == HTTPStatus.OK
        assert (await _prepare(environment(tmp_path))).logins_begun

        async def refuses_everybody() -> bool:
            statuses = {(await old.ask("/api/user")).status, (await old.check()).status}
            return statuses == {HTTPStatus.UNAUTHORIZED}

        await wait_until(refuses_everybody, seconds=10)


@pytest.mark.both_databases
@pytest.mark.usefixtures("gateways_database")
async def test_many_starts_at_once_make_one_change(tmp_path: Path) -> None:
    """N1: each start connects for itself, as processes do."""
    await _made_without_logins(tmp_path)
    outcomes = await asyncio.gather(*(_prepare(environment(tmp_path)) for _ in range(4)))
    assert [outcome.logins_begun for outcome in outcomes].count(True) == 1
    assert not any(outcome.administrator_created for outcome in outcomes)
    finished = await run_gateway("user", "list", "--json", environ=environment(tmp_path))
    assert [account["email"] for account in finished.json] == [ADMIN_EMAIL]
    events = await run_gateway("audit", "list", "--json", environ=environment(tmp_path))
    assert events.out.count("organization_changed") == 1


@pytest.mark.both_databases
@pytest.mark.usefixtures("gateways_database")
async def test_processes_that_start_at_once_make_one_change(tmp_path: Path) -> None:
    await _made_without_logins(tmp_path)
    environ = environment(tmp_path)
    finished = await asyncio.gather(*(run_gateway("bootstrap", environ=environ) for _ in range(2)))
    assert [one.code for one in finished] == [0, 0]
    said = [one.out.splitlines()[0] for one in finished]
    assert said.count(f"People log in from now on: the default user is {ADMIN_EMAIL}.") == 1


async def test_change_without_an_administrator_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    await _made_without_logins(tmp_path)
    environ = {**without_logins(tmp_path), "AUTH_TYPE": "mixed"}
    with pytest.raises(ModeRefused, match="INITIAL_ORG_ADMIN_EMAIL and INITIAL_ORG_ADMIN_PASSWORD"):
        await _prepare(environ)
    async with start_gateway(without_logins(tmp_path)) as same:
        assert (await same.ask("/api/user")).status == HTTPStatus.OK


async def test_address_of_somebody_else_is_refused(tmp_path: Path) -> None:
    """Whoever has it would become administrator, or lose the account."""
    await _made_without_logins(tmp_path)
    database = Database.open(SqliteFile(tmp_path / "gateway.db"))
    try:
        async with database.write() as connection:
            now = datetime.now(UTC)
            await create_account(
                connection,
                email=ADMIN_EMAIL,
                name="Ada",
                password_hash=None,
                role=OrganizationRole.USER,
                must_change_password=False,
                now=now,
            )
        with pytest.raises(ModeRefused, match="another account has the e-mail address"):
            await _prepare(environment(tmp_path))
        async with database.read() as connection:
            account = await find_account_by_email(connection, ADMIN_EMAIL)
            assert account is not None
            assert account.role is OrganizationRole.USER
            assert await find_default_account(connection) is not None
    finally:
        await database.close()


async def test_default_user_that_was_disabled_becomes_an_administrator_that_is_not(tmp_path: Path) -> None:
    await _made_without_logins(tmp_path)
    database = Database.open(SqliteFile(tmp_path / "gateway.db"))
    try:
        async with database.write() as connection:
            default = await find_default_account(connection)
            assert default is not None
            await set_disabled(connection, default.id, disabled=True, now=datetime.now(UTC))
    finally:
        await database.close()
    async with start_gateway(without_logins(tmp_path)) as closed:
        assert (await closed.ask("/api/user")).status == HTTPStatus.UNAUTHORIZED
    async with start_gateway(environment(tmp_path)) as after:
        assert (await after.log_in()).status == HTTPStatus.OK


async def test_changed_password_survives_the_next_starts(tmp_path: Path) -> None:
    await _made_without_logins(tmp_path)
    async with start_gateway(environment(tmp_path)) as after:
        bearer = (await after.session()).bearer
        body = {"currentPassword": ADMIN_PASSWORD, "newPassword": "Another-horse-8"}
        url = f"{after.url}/api/auth/changePassword"
        assert (await after.client.post(url, json=body, headers={"Authorization": bearer})).status == HTTPStatus.OK
    async with start_gateway(environment(tmp_path)) as again:
        assert (await again.log_in(password="Another-horse-8")).status == HTTPStatus.OK
