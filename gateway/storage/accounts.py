"""The accounts."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Row, bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.errors import Conflict
from gateway.models import Account, OrganizationRole
from gateway.storage.tables import accounts

_BY_EMAIL = select(accounts).where(accounts.c.email == bindparam("wanted"))
_BY_ID = select(accounts).where(accounts.c.id == bindparam("wanted"))


async def find_account_by_email(connection: AsyncConnection, email: str) -> Account | None:
    """Find by canonical e-mail address."""
    row = (await connection.execute(_BY_EMAIL, {"wanted": email})).one_or_none()
    return None if row is None else account_from_row(row)


async def find_account(connection: AsyncConnection, account_id: str) -> Account | None:
    row = (await connection.execute(_BY_ID, {"wanted": account_id})).one_or_none()
    return None if row is None else account_from_row(row)


async def list_accounts(connection: AsyncConnection) -> list[Account]:
    return [account_from_row(row) for row in await connection.execute(select(accounts).order_by(accounts.c.email))]


async def count_active_admins(connection: AsyncConnection) -> int:
    statement = (
        select(func.count())
        .select_from(accounts)
        .where(accounts.c.role == OrganizationRole.ADMIN, accounts.c.disabled_at.is_(None))
    )
    return (await connection.execute(statement)).scalar_one()


async def create_account(  # noqa: PLR0913 - one argument for each thing that is known about a new account
    connection: AsyncConnection,
    *,
    email: str,
    name: str,
    password_hash: str,
    role: OrganizationRole,
    must_change_password: bool,
    now: datetime,
) -> Account:
    """Insert an account whose e-mail counts as verified: an operator vouches for it. Raises `Conflict`."""
    values = {
        "id": str(uuid4()),
        "email": email,
        "name": name,
        "password_hash": password_hash,
        "role": role.value,
        "email_verified": True,
        "must_change_password": must_change_password,
        "created_at": now,
        "updated_at": now,
    }
    try:
        row = (await connection.execute(insert(accounts).values(values).returning(accounts))).one()
    except IntegrityError as error:
        message = f"there is already an account with the e-mail address {email}"
        raise Conflict(message) from error
    return account_from_row(row)


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
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
