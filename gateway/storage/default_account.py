"""The account of whoever asks without a credential, where nobody logs in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update

from gateway.models import Account, AuthMode, OrganizationRole
from gateway.storage.accounts import account_from_row
from gateway.storage.asyncio_engine import AsyncConnection
from gateway.storage.tables import accounts, organizations

# The stored mode is part of the question: a process that still runs without logins finds nobody once they are wanted.
_DEFAULT_ACCOUNT = (
    select(accounts)
    .join(organizations, organizations.c.default_account_id == accounts.c.id)
    .where(organizations.c.auth_mode == AuthMode.NONE.value)
)


async def find_default_account(connection: AsyncConnection) -> Account | None:
    row = (await connection.execute(_DEFAULT_ACCOUNT)).one_or_none()
    return None if row is None else account_from_row(row)


async def set_default_account(connection: AsyncConnection, account_id: str) -> None:
    await connection.execute(update(organizations).values(default_account_id=account_id))


async def begin_logins(connection: AsyncConnection) -> None:
    """Let people log in from now on; nobody is recognised without a credential any more."""
    await connection.execute(update(organizations).values(auth_mode=AuthMode.BASIC.value, default_account_id=None))


async def become_administrator(  # noqa: PLR0913 - one argument for each thing that becomes another
    connection: AsyncConnection, account_id: str, *, email: str, name: str, password_hash: str, now: datetime
) -> Account:
    """Turn an account into the active administrator of this name; what belongs to it stays its own."""
    values = {
        "email": email,
        "name": name,
        "password_hash": password_hash,
        "role": OrganizationRole.ADMIN.value,
        "email_verified": True,
        "must_change_password": False,
        "disabled_at": None,
        "banned_until": None,
        "updated_at": now,
    }
    changed = update(accounts).where(accounts.c.id == account_id).values(values).returning(accounts)
    return account_from_row((await connection.execute(changed)).one())
