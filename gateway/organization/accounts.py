"""The account that somebody names: an operator at the shell, or a program in a body or a path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.errors import InvalidFields, NotFound
from gateway.storage.accounts import find_account, find_account_by_email

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.models import Account
    from gateway.storage.database import Database


async def require_account(connection: AsyncConnection, email: str) -> Account:
    """Find by canonical e-mail address. Raises `NotFound` with where to look."""
    account = await find_account_by_email(connection, email)
    if account is None:
        message = f"there is no account with the e-mail address {email}: `gateway member list` shows them"
        raise NotFound(message)
    return account


async def require_account_by_id(connection: AsyncConnection, account_id: str) -> Account:
    """Find by id. Raises `NotFound`."""
    account = await find_account(connection, account_id)
    if account is None:
        message = "There is no such account."
        raise NotFound(message)
    return account


async def find_named_account(database: Database, *, email: str | None = None, account_id: str | None = None) -> Account:
    """Find whom a body names, by one or the other. Raises `InvalidFields`."""
    if (email is None) == (account_id is None):
        raise InvalidFields(fields={"email": "Name one person, by `email` or by `user_id`."})
    async with database.read() as connection:
        if email is not None:
            account = await find_account_by_email(connection, email)
        else:
            account = await find_account(connection, account_id or "")
    if account is None:
        field = "user_id" if email is None else "email"
        raise InvalidFields(fields={field: "Nobody in the organization has it."})
    return account
