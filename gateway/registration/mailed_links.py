"""The links that prove a mailbox: made, mailed, and found again by a keyed digest of their token."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from gateway.credentials.session_tokens import digest_token, make_token
from gateway.mail.outbox import MailKind
from gateway.revocation import PASSWORD_RESET
from gateway.storage.one_time_tokens import (
    OneTimeToken,
    delete_one_time_tokens,
    insert_one_time_token,
    replace_one_time_token,
)

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.mail.outbox import Outbox
    from gateway.models import Account

VERIFICATION = "verify email"
# OWASP Forgot Password Cheat Sheet: as short as the mail allows. A verification sets nobody's password.
RESET_LIFETIME = timedelta(minutes=15)
VERIFICATION_LIFETIME = timedelta(hours=24)
# Of no use to anybody: stands where a token would, so that time does not tell whether there is an account.
_DECOY = "decoy"


@dataclass(frozen=True, slots=True)
class MailedLinks:
    """Post links inside the caller's transaction.

    Each of the `post_…` runs as many statements as its counterpart to nobody: whether an account exists shows neither
    in the answer nor in its time (ASVS 6.3.8). Addresses are the stored ones, never what was typed, and links begin
    with the configured URL, never with a request's host.
    """

    outbox: Outbox
    token_key: bytes
    public_url: str
    reset_allowed: bool

    def digest(self, token: str) -> bytes:
        return digest_token(token, key=self.token_key)

    async def post_verification(self, connection: AsyncConnection, account: Account, *, now: datetime) -> None:
        """Post a link that verifies the address; an older one is dead from now on."""
        token, expires_at = make_token(), now + VERIFICATION_LIFETIME
        link = OneTimeToken(VERIFICATION, account.id, expires_at)
        await replace_one_time_token(connection, self.digest(token), link, now=now)
        await self.outbox.post(
            connection,
            MailKind.VERIFY_EMAIL,
            to=account.email,
            now=now,
            expires_at=expires_at,
            name=account.name,
            link=self._link("/verify", token=token, email=account.email),
            expires_in="24 hours",
        )

    async def post_already_registered(self, connection: AsyncConnection, account: Account, *, now: datetime) -> None:
        """Tell the owner of an address that somebody registered it again, and how to get in: by a reset.

        Of two registrations of an address that is not verified yet one may be a stranger's, and nobody knows which.
        So no link confirms either any more: its owner would accept the stranger's password with it. A reset proves
        the mailbox just as well, and sets the owner's own.
        """
        await delete_one_time_tokens(connection, purpose=VERIFICATION, account_id=account.id)
        await insert_one_time_token(connection, self.digest(make_token()), _decoy(now), now=now)
        await self.outbox.post(
            connection,
            MailKind.ALREADY_REGISTERED,
            to=account.email,
            now=now,
            name=account.name,
            login_link=self._link("/login"),
            reset_link=self._link("/forgot-password") if self.reset_allowed else "",
        )

    async def withdraw_verification(self, connection: AsyncConnection, account: Account, *, now: datetime) -> None:
        """Let no link confirm the address any more, and post nothing: its owner was told often enough."""
        await delete_one_time_tokens(connection, purpose=VERIFICATION, account_id=account.id)
        await insert_one_time_token(connection, self.digest(make_token()), _decoy(now), now=now)
        await self.outbox.post_to_nobody(connection, now=now)

    async def post_verification_to_nobody(self, connection: AsyncConnection, *, now: datetime) -> None:
        await replace_one_time_token(connection, self.digest(make_token()), _decoy(now), now=now)
        await self.outbox.post_to_nobody(connection, now=now)

    async def post_reset(
        self, connection: AsyncConnection, account: Account, *, client_address: str | None, now: datetime
    ) -> None:
        """Post a link that sets a new password; an older one is dead from now on."""
        token, expires_at = make_token(), now + RESET_LIFETIME
        link = OneTimeToken(PASSWORD_RESET, account.id, expires_at)
        await replace_one_time_token(connection, self.digest(token), link, now=now)
        await self.outbox.post(
            connection,
            MailKind.PASSWORD_RESET,
            to=account.email,
            now=now,
            expires_at=expires_at,
            name=account.name,
            link=self._link("/reset-password", token=token, userId=account.id),
            expires_in="15 minutes",
            client_address=client_address or "an unknown address",
        )

    async def post_reset_to_nobody(self, connection: AsyncConnection, *, now: datetime) -> None:
        await replace_one_time_token(connection, self.digest(make_token()), _decoy(now), now=now)
        await self.outbox.post_to_nobody(connection, now=now)

    def _link(self, path: str, **query: str) -> str:
        return f"{self.public_url}{path}" + (f"?{urlencode(query)}" if query else "")


def _decoy(now: datetime) -> OneTimeToken:
    return OneTimeToken(_DECOY, account_id=None, expires_at=now)
