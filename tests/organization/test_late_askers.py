"""Whoever loses role, session or workspace while their request is on its way gets nothing done any more."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from yarl import URL

from gateway.credentials.passwords import PasswordHashing
from gateway.errors import GatewayError, PermissionDenied, TokenExpired
from gateway.models import Account, OrganizationRole
from gateway.organization.members.handed_passwords import HandedPassword
from gateway.organization.members.invitation_rows import Invitation
from gateway.organization.members.members import MemberChange
from gateway.storage.database import Database
from tests.support.database import add_account, add_organization
from tests.support.gateway import Gateway, environment, start_gateway
from tests.support.members import MEMBERS, Office, make_office, principal_of
from tests.support.modes import without_logins
from tests.support.team import WORKSPACES, administrator, join

ADMIN, USER = OrganizationRole.ADMIN, OrganizationRole.USER
ACCOMPLICE = {"email": "accomplice@example.com", "role": "Organization Admin"}
SERVICE_ACCOUNTS = "/api/v1/service-accounts"

Send = Callable[[], Awaitable[int]]


@asynccontextmanager
async def held_request(gateway: Gateway, path: str, body: object, *, bearer: str | None) -> AsyncIterator[Send]:
    """Send the head of a request that was let through, and give what sends the body and gives the status."""
    url, content = URL(gateway.url), json.dumps(body).encode()
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json"]
    lines += [f"Content-Length: {len(content)}", *([f"Authorization: {bearer}"] if bearer else []), "", ""]
    reader, writer = await asyncio.open_connection(url.host, url.port)

    async def send() -> int:
        writer.write(content)
        return int((await reader.readline()).split()[1])

    try:
        writer.write("\r\n".join(lines).encode())
        # The request waits for its body by then; nothing outside tells so.
        await asyncio.sleep(0.3)
        yield send
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"{MEMBERS}/basic", ACCOMPLICE),
        (f"{MEMBERS}/basic/batch", [ACCOMPLICE]),
        (SERVICE_ACCOUNTS, {"name": "back door", "role": "Organization Admin"}),
    ],
)
@pytest.mark.parametrize("change", [{"role": "Organization User"}, {"disabled": True}])
async def test_administrator_who_is_none_any_more_leaves_nobody_behind(
    gateway: Gateway, path: str, body: object, change: dict[str, object]
) -> None:
    root, eve = await administrator(gateway), await join(gateway, "eve@example.com", role=ADMIN)
    async with held_request(gateway, path, body, bearer=eve.session.bearer) as send:
        await root.get("PATCH", f"{MEMBERS}/{eve.id}", change)
        assert await send() in {401, 403}
    members = await root.get("GET", MEMBERS)
    assert "accomplice@example.com" not in [member["email"] for member in members["members"]]
    assert await root.get("GET", SERVICE_ACCOUNTS) == []


async def test_admin_of_a_workspace_who_is_taken_out_does_not_come_back(gateway: Gateway) -> None:
    root, eve = await administrator(gateway), await join(gateway, "eve@example.com")
    workspace = await root.get("POST", WORKSPACES, {"display_name": "Research"})
    inside = f"{WORKSPACES}/{workspace['id']}/members"
    entry = {"user_id": eve.id, "role": "Admin"}
    await root.get("POST", inside, entry)
    async with held_request(gateway, inside, entry, bearer=eve.session.bearer) as send:
        await root.get("DELETE", f"{inside}/{eve.id}", status=204)
        assert await send() == 404


async def test_stranger_of_an_installation_without_logins_leaves_nobody_behind(tmp_path: Path) -> None:
    async with (
        start_gateway(without_logins(tmp_path)) as old,
        held_request(old, f"{MEMBERS}/basic", ACCOMPLICE, bearer=None) as send,
        start_gateway(environment(tmp_path)) as new,
    ):
        assert await send() == 401
        root = await administrator(new)
        assert len((await root.get("GET", MEMBERS))["members"]) == 1


@pytest.fixture
async def office(database: Database) -> AsyncIterator[Office]:
    await add_organization(database)
    passwords = PasswordHashing(threads=1)
    yield make_office(database, passwords)
    passwords.close()


@pytest.fixture
async def root(office: Office) -> Account:
    return await add_account(office.database, "root@example.com", role=ADMIN)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [(MemberChange(role=USER), PermissionDenied), (MemberChange(disabled=True), TokenExpired), (None, TokenExpired)],
)
async def test_what_takes_long_is_asked_for_again_with_the_change(
    office: Office, root: Account, change: MemberChange | None, refusal: type[GatewayError]
) -> None:
    """Five hundred passwords take long enough for an administrator to be removed meanwhile."""
    eve, ada = await add_account(office.database, "eve@example.com", role=ADMIN), await add_account(office.database)
    asker = await principal_of(office.database, eve)
    if change is None:
        await office.members.remove(None, eve.id)
    else:
        await office.members.change(None, eve.id, change)
    for trying in (
        office.invitations.invite(asker, [Invitation("accomplice@example.com", ADMIN)]),
        office.members.change(asker, root.id, MemberChange(password=HandedPassword("a password of Eve's"))),
        office.members.change(asker, ada.id, MemberChange(role=ADMIN)),
    ):
        with pytest.raises(refusal):
            await trying
    assert (await office.members.find(root.id)).account == root
    assert (await office.members.find(ada.id)).account == ada


async def test_session_that_ended_makes_no_key(gateway: Gateway) -> None:
    """And neither does the session of somebody who may make none any more."""
    root, eve = await administrator(gateway), await join(gateway, "eve@example.com")
    async with held_request(gateway, "/api/api-keys", {"name": "kept"}, bearer=eve.session.bearer) as send:
        await root.get("PATCH", f"{MEMBERS}/{eve.id}", {"role": "Organization Viewer"})
        assert await send() == 403
