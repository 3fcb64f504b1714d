"""The account that an operator names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.errors import NotFound
from gateway.storage.accounts import find_account_by_email

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.models import Account


async def require_account(connection: AsyncConnection, email: str) -> Account:
    """Find by canonical e-mail address. Raises `NotFound` with where to look."""
    account = await find_account_by_email(connection, email)
    if account is None:
        message = f"there is no account with the e-mail address {email}: `gateway user list` shows them"
        raise NotFound(message)
    return account
