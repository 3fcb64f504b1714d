"""The accounts."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Row, bindparam, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from gateway.errors import Conflict
from gateway.models import Account, OrganizationRole
from gateway.storage.asyncio_engine import AsyncConnection
from gateway.storage.tables import accounts
from gateway.storage.workspaces import join_default_workspace

_BY_EMAIL = select(accounts).where(accounts.c.email == bindparam("wanted"))
_BY_ID = select(accounts).where(accounts.c.id == bindparam("wanted"))


async def find_account_by_email(connection: AsyncConnection, email: str) -> Account | None:
    """Find by canonical e-mail address."""
    row = (await connection.execute(_BY_EMAIL, {"wanted": email})).one_or_none()
    return None if row is None else account_from_row(row)


async def find_account(connection: AsyncConnection, account_id: str) -> Account | None:
    row = (await connection.execute(_BY_ID, {"wanted": account_id})).one_or_none()
    return None if row is None else account_from_row(row)


async def username_is_taken(connection: AsyncConnection, username: str) -> bool:
    """Look for a canonical username."""
    statement = select(accounts.c.id).where(accounts.c.username == username)
    return (await connection.execute(statement)).first() is not None


async def list_accounts(connection: AsyncConnection) -> list[Account]:
    return [account_from_row(row) for row in await connection.execute(select(accounts).order_by(accounts.c.email))]


async def count_active_admins(connection: AsyncConnection) -> int:
    statement = (
        select(func.count())
        .select_from(accounts)
        .where(accounts.c.role == OrganizationRole.ADMIN, accounts.c.disabled_at.is_(None))
    )
    return (await connection.execute(statement)).scalar_one()


async def is_last_active_admin(connection: AsyncConnection, account_id: str, *, now: datetime) -> bool:
    """Say whether nobody else could administer if this account could not.

    One that is banned cannot, for now, and neither can one whose address was never verified: it may be nobody's.
    """
    not_banned = or_(accounts.c.banned_until.is_(None), accounts.c.banned_until <= now)
    statement = select(accounts.c.id, accounts.c.email_verified).where(
        accounts.c.role == OrganizationRole.ADMIN, accounts.c.disabled_at.is_(None), not_banned
    )
    verified = {row.id: row.email_verified for row in await connection.execute(statement)}
    return verified.pop(account_id, None) is not None and not any(verified.values())


async def create_account(  # noqa: PLR0913 - one argument for each thing that is known about a new account
    connection: AsyncConnection,
    *,
    email: str,
    name: str,
    password_hash: str | None,
    role: OrganizationRole,
    must_change_password: bool,
    now: datetime,
    username: str | None = None,
    email_verified: bool = True,
    registered_at: datetime | None = None,
    in_default_workspace: bool = True,
) -> Account:
    """Insert an account; an operator vouches for the e-mail of one that did not register. Raises `Conflict`."""
    values = {
        "id": str(uuid4()),
        "email": email,
        "username": username,
        "name": name,
        "password_hash": password_hash,
        "role": role.value,
        "email_verified": email_verified,
        "must_change_password": must_change_password,
        "registered_at": registered_at,
        "created_at": now,
        "updated_at": now,
    }
    try:
        row = (await connection.execute(insert(accounts).values(values).returning(accounts))).one()
    except IntegrityError as error:
        message = f"there is already an account with the e-mail address {email}"
        raise Conflict(message) from error
    account = account_from_row(row)
    if in_default_workspace:
        await join_default_workspace(connection, account.id, role=role, now=now)
    return account


async def set_banned(connection: AsyncConnection, account_id: str, *, until: datetime | None) -> None:
    await _update(connection, account_id, banned_until=until)


async def set_second_factor_since(connection: AsyncConnection, account_id: str, since: datetime | None) -> None:
    """Say since when there is a second factor; `None`: there is none. The factor itself is kept elsewhere."""
    await _update(connection, account_id, second_factor_since=since)


async def note_login(connection: AsyncConnection, account_id: str, *, now: datetime) -> None:
    await _update(connection, account_id, logged_in_at=now)


async def set_email_verified(connection: AsyncConnection, account_id: str, *, now: datetime) -> None:
    await _update(connection, account_id, email_verified=True, updated_at=now)


async def note_registration(connection: AsyncConnection, account_id: str, *, now: datetime) -> None:
    """Say that somebody registered the address again."""
    await _update(connection, account_id, registered_at=now)


async def was_registered_again(connection: AsyncConnection, account_id: str) -> bool:
    """Say whether the address was registered more than once, perhaps by different people."""
    statement = select(accounts.c.id).where(
        accounts.c.id == account_id, accounts.c.registered_at > accounts.c.created_at
    )
    return (await connection.execute(statement)).first() is not None


async def set_disabled(connection: AsyncConnection, account_id: str, *, disabled: bool, now: datetime) -> None:
    await _update(connection, account_id, disabled_at=now if disabled else None, updated_at=now)


async def set_password(
    connection: AsyncConnection, account_id: str, *, password_hash: str, must_change: bool, now: datetime
) -> None:
    await _update(connection, account_id, password_hash=password_hash, must_change_password=must_change, updated_at=now)


async def replace_password(
    connection: AsyncConnection, account_id: str, *, proven_hash: str, password_hash: str, now: datetime
) -> bool:
    """Set a person's own new password, if the one that was proven still holds; says whether it did."""
    statement = (
        update(accounts)
        .where(accounts.c.id == account_id, accounts.c.password_hash == proven_hash, accounts.c.disabled_at.is_(None))
        .values(password_hash=password_hash, must_change_password=False, updated_at=now)
        .returning(accounts.c.id)
    )
    return (await connection.execute(statement)).first() is not None


async def rehash_password(
    connection: AsyncConnection, account_id: str, *, proven_hash: str, password_hash: str
) -> None:
    """Replace the hash of the same password, if it is still the one that was proven."""
    statement = update(accounts).where(accounts.c.id == account_id, accounts.c.password_hash == proven_hash)
    await connection.execute(statement.values(password_hash=password_hash))


async def _update(connection: AsyncConnection, account_id: str, **values: Any) -> None:  # noqa: ANN401 - column values
    await connection.execute(update(accounts).where(accounts.c.id == account_id).values(values))


def account_from_row(row: Row[Any]) -> Account:
    return Account(
        id=row.id,
        email=row.email,
        username=row.username,
        name=row.name,
        password_hash=row.password_hash,
        role=OrganizationRole(row.role),
        email_verified=row.email_verified,
        must_change_password=row.must_change_password,
        disabled=row.disabled_at is not None,
        banned_until=row.banned_until,
        has_second_factor=row.second_factor_since is not None,
        logged_in_at=row.logged_in_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
