"""That a mailbox is its owner's: shown by the link that was sent there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from gateway.audit.events import EventKind, record
from gateway.errors import LinkDead
from gateway.models import Account
from gateway.registration.mailed_links import VERIFICATION
from gateway.registration.registration import LETTERS_WITHIN, MOST_LETTERS
from gateway.storage.accounts import (
    find_account,
    find_account_by_email,
    set_email_verified,
    was_registered_again,
)
from gateway.storage.audit_events import count_events_of
from gateway.storage.one_time_tokens import (
    OneTimeToken,
    find_one_time_token,
    spend_one_time_token,
)

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.registration.mailed_links import MailedLinks
    from gateway.revocation import Revocation
    from gateway.storage.database import Database

_log = structlog.get_logger("gateway.security")

_NO_ACCOUNT = ""


class Verification:
    """Verify e-mail addresses, and send the link again."""

    def __init__(self, database: Database, *, links: MailedLinks, revocation: Revocation) -> None:
        self._database = database
        self._links = links
        self._revocation = revocation

    async def link_is_good(self, *, email: str, token: str) -> bool:
        """Look without spending."""
        now = datetime.now(UTC)
        async with self._database.read() as connection:
            found = await find_one_time_token(connection, self._links.digest(token), purpose=VERIFICATION, now=now)
            return await _account_to_verify(connection, found, email=email, now=now) is not None

    async def verify(self, *, email: str, token: str) -> None:
        """Spend a link. Raises `LinkDead`."""
        async with self._revocation.transaction() as transaction:
            connection, now = transaction.connection, transaction.now
            spent = await spend_one_time_token(connection, self._links.digest(token), purpose=VERIFICATION, now=now)
            account = await _account_to_verify(connection, spent, email=email, now=now)
            if account is None:
                raise LinkDead
            await set_email_verified(connection, account.id, now=now)
            await record(connection, EventKind.EMAIL_VERIFIED, account=account)
        _log.info("email_verified", account_id=account.id)

    async def send_again(self, email: str) -> None:
        """Send a new link to an address that waits for one; to all others nothing, at the same cost."""
        now = datetime.now(UTC)
        async with self._database.write() as connection:
            account = await find_account_by_email(connection, email)
            account_id = account.id if account else _NO_ACCOUNT
            letters = await count_events_of(
                connection,
                account_id,
                kinds=(EventKind.REGISTERED, EventKind.VERIFICATION_REQUESTED),
                since=now - LETTERS_WITHIN,
            )
            registered_again = await was_registered_again(connection, account_id)
            waits = account is not None and account.active(now) and not account.email_verified
            if account is None or not waits or letters >= MOST_LETTERS:
                await self._links.post_verification_to_nobody(connection, now=now)
                waits = False
            elif registered_again:
                # A new link could make the owner accept a stranger's password (`post_already_registered`).
                await self._links.post_already_registered(connection, account, now=now)
            else:
                await self._links.post_verification(connection, account, now=now)
            await record(connection, EventKind.VERIFICATION_REQUESTED, account=account, email=email, succeeded=waits)


async def _account_to_verify(
    connection: AsyncConnection, link: OneTimeToken | None, *, email: str, now: datetime
) -> Account | None:
    account = None if link is None or link.account_id is None else await find_account(connection, link.account_id)
    if account is None or account.email != email or account.email_verified or not account.active(now):
        return None
    return account
