"""Who, what, when, from where, with which result, in which request: for everything that has to be audited."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse
from sqlalchemy import Row, select

from gateway.storage.accounts import list_accounts
from gateway.storage.database import Database
from gateway.storage.tables import audit_events
from tests.support.audit import touch
from tests.support.commands import run_command
from tests.support.forms import Person, hidden_fields
from tests.support.gateway import ADMIN_EMAIL, ADMIN_PASSWORD, Gateway, LoggedIn, environment, start_gateway

ADDRESS = "203.0.113.7"
ANN = "ann@example.com"
ANNS_PASSWORD = "a quiet evening by the sea"
NEW_PASSWORD = "the fog came in at night"
OPERATOR = "command line ("


@dataclass(slots=True)
class Scene:
    """A gateway with Ann in it, whose requests come from one address through a proxy."""

    gateway: Gateway
    database: Database
    headers: dict[str, str] = field(default_factory=lambda: {"X-Forwarded-For": ADDRESS})

    async def send(
        self, method: str, path: str, body: object = None, session: LoggedIn | None = None, **headers: str
    ) -> ClientResponse:
        if session is not None:
            headers["Authorization"] = session.bearer
        url = f"{self.gateway.url}{path}"
        return await self.gateway.client.request(method, url, json=body, headers={**self.headers, **headers})

    async def log_in(self, password: str = ANNS_PASSWORD, email: str = ANN) -> ClientResponse:
        return await self.send("POST", "/api/auth/login", {"email": email, "password": password})

    async def session(self) -> LoggedIn:
        return await self.gateway.session(ANN, ANNS_PASSWORD)

    async def make_key(self, session: LoggedIn) -> dict[str, Any]:
        response = await self.send("POST", "/api/api-keys", {"name": "report"}, session)
        return {"response": response, **(await response.json())}

    async def newest(self, kind: str) -> Row[Any]:
        statement = select(audit_events).where(audit_events.c.kind == kind).order_by(audit_events.c.id.desc()).limit(1)
        async with self.database.read() as connection:
            return (await connection.execute(statement)).one()

    async def emails(self) -> dict[str, str]:
        async with self.database.read() as connection:
            return {account.id: account.email for account in await list_accounts(connection)}


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with start_gateway(environment(tmp_path, GATEWAY_BASIC_CREDENTIALS="true")) as gateway:
        add = ("user", "add", "--email", ANN, "--name", "Ann", "--password-stdin")
        await run_command(gateway, *add, stdin=f"{ANNS_PASSWORD}\n")
        database = Database.open(gateway.settings.database)
        try:
            yield Scene(gateway, database)
        finally:
            await database.close()


async def _log_in(scene: Scene) -> ClientResponse:
    return await scene.log_in()


async def _fail_to_log_in(scene: Scene) -> ClientResponse:
    return await scene.log_in("not the password")


async def _fail_to_log_in_as_nobody(scene: Scene) -> ClientResponse:
    return await scene.log_in(email="nobody@example.com")


async def _log_in_banned(scene: Scene) -> ClientResponse:
    await touch(scene.database, "UPDATE accounts SET banned_until = '2999-01-01 00:00:00.000000'")
    return await scene.log_in()


async def _log_in_unverified(scene: Scene) -> ClientResponse:
    await touch(scene.database, "UPDATE accounts SET email_verified = 0")
    return await scene.log_in()


async def _log_in_on_the_page(scene: Scene) -> ClientResponse:
    person = Person(scene.gateway)
    page = await person.open("/login")
    fields = {**hidden_fields(await page.text()), "email": ANN, "password": ANNS_PASSWORD}
    return await person.post("/login", fields, **scene.headers)


async def _fail_with_basic_credentials(scene: Scene) -> ClientResponse:
    wrong = f"Basic {base64.b64encode(f'{ANN}:not the password'.encode()).decode()}"
    return await scene.gateway.check(Authorization=wrong, **scene.headers)


async def _log_out(scene: Scene) -> ClientResponse:
    return await scene.send("POST", "/api/auth/logout", session=await scene.session())


async def _change_password(scene: Scene) -> ClientResponse:
    body = {"currentPassword": ANNS_PASSWORD, "newPassword": NEW_PASSWORD}
    return await scene.send("POST", "/api/auth/changePassword", body, await scene.session())


async def _make_a_key(scene: Scene) -> ClientResponse:
    made: ClientResponse = (await scene.make_key(await scene.session()))["response"]
    return made


async def _rotate_a_key(scene: Scene) -> ClientResponse:
    session = await scene.session()
    made = await scene.make_key(session)
    return await scene.send("POST", f"/api/api-keys/{made['id']}/rotate", {"overlapSeconds": 5}, session)


async def _delete_a_key(scene: Scene) -> ClientResponse:
    session = await scene.session()
    made = await scene.make_key(session)
    return await scene.send("DELETE", f"/api/api-keys/{made['id']}", session=session)


Deed = Callable[[Scene], Awaitable[ClientResponse]]


@dataclass(frozen=True, slots=True)
class Told:
    """What a row tells of a deed. `actor` is an account's address; None: nobody knows."""

    kind: str
    actor: str | None = ANN
    email: str = ANN
    succeeded: bool = True


@pytest.mark.parametrize(
    ("deed", "told"),
    [
        (_log_in, Told("login")),
        (_log_in_on_the_page, Told("login")),
        (_fail_to_log_in, Told("login", actor=None, succeeded=False)),
        (_fail_to_log_in_as_nobody, Told("login", actor=None, email="nobody@example.com", succeeded=False)),
        (_fail_with_basic_credentials, Told("login", actor=None, succeeded=False)),
        (_log_in_banned, Told("login", actor=None, succeeded=False)),
        (_log_in_unverified, Told("login", actor=None, succeeded=False)),
        (_log_out, Told("session_ended")),
        (_change_password, Told("password_changed")),
        (_make_a_key, Told("api_key_created")),
        (_rotate_a_key, Told("api_key_rotated")),
        (_delete_a_key, Told("api_key_ended")),
    ],
)
async def test_deed_over_http_is_audited(scene: Scene, deed: Deed, told: Told) -> None:
    """W4."""
    response = await deed(scene)
    event = await scene.newest(told.kind)
    actor = (await scene.emails()).get(event.actor)
    assert Told(event.kind, actor, event.email, event.succeeded) == told
    assert event.client_address == ADDRESS
    assert event.request_id == response.headers["X-Request-Id"]
    assert timedelta(0) <= datetime.now(UTC) - event.at < timedelta(minutes=1)


async def test_who_logs_in_with_another_ones_cookie_is_the_one_who_logs_in(scene: Scene) -> None:
    person = Person(scene.gateway)
    await person.fill_in("/login", email=ADMIN_EMAIL, password=ADMIN_PASSWORD)
    page = await person.open("/change-password")
    fields = {**hidden_fields(await page.text()), "email": ANN, "password": ANNS_PASSWORD}
    await person.post("/login", fields)
    event, emails = await scene.newest("login"), await scene.emails()
    assert (emails[event.actor], event.email) == (ANN, ANN)


@pytest.mark.parametrize(
    ("commands", "kind", "email"),
    [
        ([("user", "add", "--email", "bob@example.com", "--name", "Bob")], "account_added", "bob@example.com"),
        ([("user", "disable", ANN)], "account_disabled", ANN),
        ([("user", "disable", ANN), ("user", "enable", ANN)], "account_enabled", ANN),
        ([("user", "reset-password", ANN)], "password_handed_over", ANN),
        ([("group", "add", "ops")], "group_changed", None),
        ([("group", "add", "ops"), ("group", "add-member", "ops", ANN)], "group_changed", ANN),
        ([("key", "create", "--email", ANN, "--name", "report")], "api_key_created", ANN),
    ],
)
async def test_command_is_audited(scene: Scene, commands: list[tuple[str, ...]], kind: str, email: str | None) -> None:
    """W4."""
    for command in commands:
        await run_command(scene.gateway, *command)
    event = await scene.newest(kind)
    assert event.actor.startswith(OPERATOR)
    assert (event.email, event.succeeded) == (email, True)
    assert (event.client_address, event.request_id) == (None, None)


async def test_whole_life_of_a_group_is_audited(scene: Scene) -> None:
    for command in (
        ("add", "ops"),
        ("add-member", "ops", ANN),
        ("add-member", "ops", ANN),
        ("remove-member", "ops", ANN),
    ):
        await run_command(scene.gateway, "group", *command)
    await run_command(scene.gateway, "group", "remove", "ops")
    listed = (await run_command(scene.gateway, "audit", "list", "--kind", "group_changed", "--json")).json
    changes = [event["details"]["change"] for event in listed]
    assert changes == ["removed", "member removed", "member added", "added"], "what changed nothing is no event"


async def test_revoked_key_is_audited(scene: Scene) -> None:
    made = (await run_command(scene.gateway, "key", "create", "--email", ANN, "--name", "report", "--json")).json
    await run_command(scene.gateway, "key", "revoke", made["id"])
    event = await scene.newest("api_key_ended")
    assert event.actor.startswith(OPERATOR)
    assert event.email == ANN


async def test_administrator_of_the_configuration_is_audited(scene: Scene) -> None:
    assert (await scene.newest("administrator_created")).email == ADMIN_EMAIL


async def test_administrator_of_the_setup_page_is_audited(tmp_path: Path) -> None:
    environ = environment(tmp_path)
    del environ["INITIAL_ORG_ADMIN_EMAIL"], environ["INITIAL_ORG_ADMIN_PASSWORD"]
    async with start_gateway(environ) as gateway:
        assert gateway.setup_link is not None
        path = gateway.setup_link.removeprefix(gateway.settings.public_url)
        fields = {"email": ADMIN_EMAIL, "name": "Admin", "password": ADMIN_PASSWORD}
        response = await Person(gateway).fill_in(path, **fields)
        listed = (await run_command(gateway, "audit", "list", "--kind", "administrator_created", "--json")).json
    assert [event["email"] for event in listed] == [ADMIN_EMAIL]
    assert listed[0]["request_id"] == response.headers["X-Request-Id"]


async def test_changed_secret_is_audited(tmp_path: Path) -> None:
    async with start_gateway(environment(tmp_path, BASIC_AUTH_JWT_SECRET="the first of two long secrets!!!")):
        pass
    async with start_gateway(
        environment(tmp_path, BASIC_AUTH_JWT_SECRET="the second of two long secrets!!")
    ) as gateway:
        listed = (await run_command(gateway, "audit", "list", "--kind", "secret_changed", "--json")).json
    assert [event["details"] for event in listed] == [{"secret": "jwt_secret"}]


async def test_what_cannot_be_audited_does_not_happen(scene: Scene) -> None:
    """Fail closed: no session, no key, no revocation without its row."""
    session = await scene.session()
    await touch(scene.database, "ALTER TABLE audit_events RENAME TO gone")
    assert (await scene.log_in()).status == 503
    assert (await scene.send("POST", "/api/api-keys", {"name": "report"}, session)).status == 503
    body = {"currentPassword": ANNS_PASSWORD, "newPassword": NEW_PASSWORD}
    assert (await scene.send("POST", "/api/auth/changePassword", body, session)).status == 503
    await touch(scene.database, "ALTER TABLE gone RENAME TO audit_events")
    assert await (await scene.send("GET", "/api/api-keys", session=session)).json() == []
    assert (await scene.log_in(NEW_PASSWORD)).status == 401
    assert (await scene.log_in()).status == 200


async def test_no_secret_is_in_the_log(scene: Scene) -> None:
    """W5."""
    session = await scene.session()
    key = (await scene.make_key(session))["key"]
    await scene.log_in("a wrong password that is a secret")
    body = {"currentPassword": ANNS_PASSWORD, "newPassword": NEW_PASSWORD}
    await scene.send("POST", "/api/auth/changePassword", body, session)
    exported = (await run_command(scene.gateway, "audit", "export")).out
    assert "password_changed" in exported
    cookie = session.cookie.partition("=")[2]
    for secret in (key, session.token, cookie, ANNS_PASSWORD, NEW_PASSWORD, "a wrong password"):
        assert secret not in exported
