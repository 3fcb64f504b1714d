"""A forgotten password: a link by mail, and a new one in its place."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from gateway.audit.events import EventKind, record
from gateway.errors import InvalidFields, LinkDead, PasswordResetOff
from gateway.models import Account
from gateway.registration.mailed_links import RESET_LIFETIME, VERIFICATION
from gateway.revocation import PASSWORD_RESET
from gateway.storage.accounts import (
    find_account,
    find_account_by_email,
    set_email_verified,
    set_second_factor_since,
)
from gateway.storage.api_keys import delete_api_keys_of
from gateway.storage.audit_events import count_events_of
from gateway.storage.one_time_tokens import (
    OneTimeToken,
    delete_one_time_tokens,
    find_one_time_token,
    spend_one_time_token,
)
from gateway.storage.second_factors import delete_second_factor

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.registration.chosen_password import ChosenPassword, PasswordChoice
    from gateway.registration.mailed_links import MailedLinks
    from gateway.revocation import Revocation, Transaction
    from gateway.storage.database import Database

_log = structlog.get_logger("gateway.security")

# Within the life of one link: whenever no further letter is sent, a good link lies in the mailbox already.
_MOST_LETTERS = 3
_NO_ACCOUNT = ""


class PasswordReset:
    """Reset passwords by mail. Without the mailed token nothing is set."""

    def __init__(
        self,
        database: Database,
        *,
        allowed: bool,
        choice: PasswordChoice,
        links: MailedLinks,
        revocation: Revocation,
    ) -> None:
        self._database = database
        self._allowed = allowed
        self._choice = choice
        self._links = links
        self._revocation = revocation

    def require_allowed(self) -> None:
        if not self._allowed:
            raise PasswordResetOff

    async def request(self, email: str, *, client_address: str | None) -> None:
        """Send a link to the account's address; to all others nothing, at the same cost."""
        now = datetime.now(UTC)
        async with self._database.write() as connection:
            account = await find_account_by_email(connection, email)
            letters = await count_events_of(
                connection,
                account.id if account else _NO_ACCOUNT,
                kinds=(EventKind.PASSWORD_RESET_REQUESTED,),
                succeeded=True,
                since=now - RESET_LIFETIME,
            )
            sent = account is not None and account.active(now) and letters < _MOST_LETTERS
            if account is not None and sent:
                await self._links.post_reset(connection, account, client_address=client_address, now=now)
            else:
                await self._links.post_reset_to_nobody(connection, now=now)
            await record(connection, EventKind.PASSWORD_RESET_REQUESTED, account=account, email=email, succeeded=sent)

    async def account_of(self, *, user_id: str, token: str) -> Account:
        """Look without spending. Raises `LinkDead`."""
        now = datetime.now(UTC)
        async with self._database.read() as connection:
            found = await find_one_time_token(connection, self._links.digest(token), purpose=PASSWORD_RESET, now=now)
            return await _require_account(connection, found, user_id=user_id, now=now)

    async def reset(self, *, user_id: str, token: str, password: ChosenPassword) -> None:
        """Spend a link on a new password. Raises `LinkDead` or `InvalidFields`; after the latter the link is good."""
        account = await self.account_of(user_id=user_id, token=token)
        if problems := await self._choice.problems(password, email=account.email):
            raise InvalidFields(fields=problems)
        password_hash = await self._choice.hash(password)
        async with self._revocation.transaction() as transaction:
            connection, now = transaction.connection, transaction.now
            spent = await spend_one_time_token(connection, self._links.digest(token), purpose=PASSWORD_RESET, now=now)
            account = await _require_account(connection, spent, user_id=user_id, now=now)
            if not account.email_verified:
                await _verify(transaction, account)
            await self._revocation.reset_password(transaction, account, password_hash=password_hash)
        _log.info("password_reset", account_id=account.id)


async def _require_account(
    connection: AsyncConnection, link: OneTimeToken | None, *, user_id: str, now: datetime
) -> Account:
    """Give the account of a good link. Raises `LinkDead`, also where the id beside the token is another's."""
    account = None if link is None or link.account_id != user_id else await find_account(connection, user_id)
    if account is None or not account.active(now):
        raise LinkDead
    return account


async def _verify(transaction: Transaction, account: Account) -> None:
    """Count the mailbox as verified: the link came from there.

    Whoever used the account before need not have been its owner: their API keys would outlive the reset, and their
    second factor would keep the owner out. Of a verified account a reset takes neither away.
    """
    await set_email_verified(transaction.connection, account.id, now=transaction.now)
    await delete_one_time_tokens(transaction.connection, purpose=VERIFICATION, account_id=account.id)
    await delete_api_keys_of(transaction.connection, account.id)
    await delete_second_factor(transaction.connection, account.id)
    await set_second_factor_since(transaction.connection, account.id, None)
    await record(transaction.connection, EventKind.EMAIL_VERIFIED, account=account)
