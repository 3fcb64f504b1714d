"""Members over a test's own store."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import ClientResponse
from sqlalchemy import text

from gateway.credentials.passwords import PasswordHashing
from gateway.models import Account, CredentialKind, OrganizationRole, Principal
from gateway.organization.members.handed_passwords import PasswordHandover
from gateway.organization.members.invitations import Invitations
from gateway.organization.members.members import Members
from gateway.revocation import Doorbell, Revocation, ring_nobody
from gateway.sessions import SessionLifetimes, Sessions, Visitor
from gateway.storage.database import Database
from gateway.storage.standing import find_standing
from tests.support.gateway import Gateway, LoggedIn
from tests.support.parts import RULES, make_outbox
from tests.support.visitors import ADA

MEMBERS = "/api/v1/orgs/current/members"
_DAY = timedelta(days=1)
OWN_PASSWORD = "rope-lantern-41"


@dataclass(frozen=True, slots=True)
class Office:
    """Who manages members: the parts, as the wiring makes them."""

    database: Database
    members: Members
    invitations: Invitations
    revocation: Revocation


def make_office(
    database: Database, passwords: PasswordHashing, *, doorbell: Doorbell = ring_nobody, mail: bool = True
) -> Office:
    outbox = make_outbox(enabled=mail)
    revocation = Revocation(database, doorbell=doorbell, outbox=outbox)
    handover = PasswordHandover(rules=RULES, passwords=passwords)
    invitations = Invitations(
        database, handover=handover, revocation=revocation, outbox=outbox, login_url="http://localhost:9091/login"
    )
    return Office(database, Members(database, handover=handover, revocation=revocation), invitations, revocation)


async def principal_of(database: Database, account: Account) -> Principal:
    """Give somebody as a request of theirs would bring them, logged in."""
    async with database.write() as connection:
        standing = await find_standing(connection, account)
        session, _ = await Sessions(database, token_key=b"key", lifetimes=SessionLifetimes(_DAY, _DAY, _DAY)).open(
            connection,
            account,
            visitor=Visitor(None, None),
            remember_me=False,
            with_second_factor=False,
            now=datetime.now(UTC),
        )
    assert standing is not None
    return replace(
        ADA,
        account_id=account.id,
        email=account.email,
        role=account.role,
        standing=standing,
        credential=CredentialKind.JWT,
        session_id=session.id,
    )


@dataclass(frozen=True, slots=True)
class Audited:
    kind: str
    account_id: str | None
    email: str | None
    actor: str | None
    details: dict[str, str]


async def audited(database: Database, kind: str = "%") -> list[Audited]:
    """Give what was audited of this kind, the oldest first."""
    statement = "SELECT kind, account_id, email, actor, details FROM audit_events WHERE kind LIKE :kind ORDER BY id"
    async with database.read() as connection:
        rows = await connection.execute(text(statement), {"kind": kind})
        return [Audited(row.kind, row.account_id, row.email, row.actor, json.loads(row.details)) for row in rows]


async def call(
    gateway: Gateway, method: str, path: str, body: object = None, *, session: LoggedIn | None = None
) -> ClientResponse:
    """Send JSON as a program does that has an access token."""
    headers = {} if session is None else {"Authorization": session.bearer}
    return await gateway.client.request(method, f"{gateway.url}{path}", json=body, headers=headers)


async def answer(response: ClientResponse, status: int = 200) -> Any:  # noqa: ANN401 - whatever was answered
    body = await response.json()
    assert response.status == status, body
    return body


async def invite(gateway: Gateway, admin: LoggedIn, email: str, **more: object) -> Any:  # noqa: ANN401 - JSON
    """Invite somebody over HTTP, and give what was answered."""
    return await answer(await call(gateway, "POST", f"{MEMBERS}/basic", {"email": email, **more}, session=admin))


async def settled(
    gateway: Gateway, admin: LoggedIn, email: str, role: OrganizationRole = OrganizationRole.USER
) -> LoggedIn:
    """Invite somebody who then chooses a password of their own, and give their session."""
    invited = await invite(gateway, admin, email, role=role.value)
    session = await gateway.session(email, invited["password"])
    chosen = {"password": OWN_PASSWORD, "current_password": invited["password"]}
    await answer(await call(gateway, "PATCH", "/api/v1/orgs/members/basic", chosen, session=session))
    return await gateway.session(email, OWN_PASSWORD)
