"""Refresh token → the next access token."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from gateway.audit.events import EventKind, record
from gateway.credentials.refresh_tokens import parse_refresh_token
from gateway.errors import PasswordChangeRequired, RefreshRefused
from gateway.models import Account, RefreshToken, Session
from gateway.refresh_tokens import Redeemed

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.refresh_tokens import RefreshTokens
    from gateway.revocation import Revocation, Transaction
    from gateway.sessions import Sessions, Visitor
    from gateway.storage.database import Database

_log = structlog.get_logger("gateway.security")


@dataclass(frozen=True, slots=True)
class Refreshed:
    """A session that goes on, with the refresh token that is good from now on."""

    account: Account
    session: Session
    refresh_token: RefreshToken


class Refreshing:
    """Let a session go on for a good refresh token, and end it for one that was used before (RFC 9700 section 4.14)."""

    def __init__(
        self,
        database: Database,
        *,
        refresh_tokens: RefreshTokens,
        sessions: Sessions,
        revocation: Revocation,
        force_password_change: bool,
    ) -> None:
        self._database = database
        self._refresh_tokens = refresh_tokens
        self._sessions = sessions
        self._revocation = revocation
        self._force_password_change = force_password_change

    async def refresh(self, token: str, visitor: Visitor) -> Refreshed:
        """Raise `RefreshRefused`, or `PasswordChangeRequired`, which leaves the token as good as it was."""
        # A stranger's token must not wait for, nor hold up, the one who writes.
        if not await self.find_session_ids([token]):
            raise RefreshRefused
        async with self._revocation.transaction() as transaction:
            outcome = await self._refresh_tokens.redeem(transaction.connection, token, now=transaction.now)
            refreshed = None
            if isinstance(outcome, Redeemed):
                # What is raised here takes the rotation back.
                refreshed = await self._require_good(transaction.connection, outcome)
            else:
                await self._end_reused(transaction, outcome.session_id)
        if refreshed is None:
            # Only now: raised inside, it would take back that the session ended.
            _log.warning("refresh_token_reused", session_id=outcome.session_id, client_address=visitor.client_address)
            raise RefreshRefused
        self._sessions.last_use.touch(refreshed.session.id, time.time())
        return refreshed

    async def find_session_ids(self, tokens: Iterable[str]) -> set[str]:
        """Give the sessions that refresh tokens of ours belong to, whether or not these can still be redeemed."""
        async with self._database.read() as connection:
            found = [await self._refresh_tokens.find_session_id(connection, token) for token in tokens]
        return {session_id for session_id in found if session_id is not None}

    async def name_living_session(self, tokens: Iterable[str]) -> bool:
        """Say whether one of these, good or not, names a session that counts now: a hint, and no proof of anything."""
        presented = [parse_refresh_token(token) for token in tokens]
        found = [await self._sessions.find(token.session_id) for token in presented if token is not None]
        return any(known is not None for known in found)

    async def _end_reused(self, transaction: Transaction, session_id: str) -> None:
        account = await self._revocation.end_session_within(transaction, session_id, reason="refresh token reused")
        await record(
            transaction.connection, EventKind.REFRESH_REUSED, account=account, succeeded=False, session_id=session_id
        )

    async def _require_good(self, connection: AsyncConnection, redeemed: Redeemed) -> Refreshed:
        known = await self._sessions.find_within(connection, redeemed.session_id)
        if known is None:
            raise RefreshRefused
        if known.account.must_change_password and self._force_password_change:
            raise PasswordChangeRequired
        return Refreshed(known.account, known.session, redeemed.token)
