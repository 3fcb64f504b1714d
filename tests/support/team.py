"""People of a team, in any role, who ask the API for programs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import ClientResponse

from gateway.credentials.passwords import PasswordHashing
from gateway.models import Account, OrganizationRole
from gateway.storage.accounts import create_account, find_account_by_email
from gateway.storage.database import Database
from tests.support.gateway import ADMIN_EMAIL, ADMIN_PASSWORD, Gateway, LoggedIn

PASSWORD = "lantern-rope-1847"
WORKSPACES = "/api/v1/workspaces"


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody who is logged in."""

    gateway: Gateway
    id: str
    email: str
    session: LoggedIn

    async def ask(self, method: str, path: str, body: object = None) -> ClientResponse:
        headers = {"Authorization": self.session.bearer}
        response = await self.gateway.client.request(method, f"{self.gateway.url}{path}", json=body, headers=headers)
        await response.read()
        return response

    async def get(self, method: str, path: str, body: object = None, *, status: int = 200) -> Any:  # noqa: ANN401 - JSON
        """Ask, and give what is answered, which must have this status."""
        response = await self.ask(method, path, body)
        assert response.status == status, await response.text()
        return None if status == 204 else await response.json()

    async def workspace_on_check(self) -> str:
        """Give what an application is told about the workspace."""
        response = await self.gateway.check(Cookie=self.session.cookie)
        assert response.status == 200
        return response.headers["Remote-Workspace"]


async def administrator(gateway: Gateway) -> Colleague:
    """Log in the administrator of a test's gateway."""
    return await _log_in(gateway, ADMIN_EMAIL, ADMIN_PASSWORD)


async def join(
    gateway: Gateway,
    email: str = "ada@example.com",
    *,
    role: OrganizationRole = OrganizationRole.USER,
    in_default_workspace: bool = True,
) -> Colleague:
    """Add somebody beside the running gateway, and log them in."""
    passwords, database = PasswordHashing(threads=1), Database.open(gateway.settings.database)
    try:
        password_hash = await passwords.hash(PASSWORD)
        async with database.write() as connection:
            await create_account(
                connection,
                email=email,
                name=email.partition("@")[0].title(),
                password_hash=password_hash,
                role=role,
                must_change_password=False,
                now=datetime.now(UTC),
                in_default_workspace=in_default_workspace,
            )
    finally:
        passwords.close()
        await database.close()
    return await _log_in(gateway, email, PASSWORD)


async def _log_in(gateway: Gateway, email: str, password: str) -> Colleague:
    account = await _find(gateway, email)
    return Colleague(gateway, account.id, email, await gateway.session(email, password))


async def _find(gateway: Gateway, email: str) -> Account:
    database = Database.open(gateway.settings.database)
    try:
        async with database.read() as connection:
            account = await find_account_by_email(connection, email)
    finally:
        await database.close()
    assert account is not None
    return account
