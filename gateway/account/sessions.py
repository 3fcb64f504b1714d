"""An account's sessions: shown to and ended by their owner."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from gateway.audit.events import EventKind, record
from gateway.errors import NotFound
from gateway.storage.accounts import find_account
from gateway.storage.sessions import StoredSession, find_session, list_sessions

if TYPE_CHECKING:
    from gateway.models import Session
    from gateway.revocation import Revocation
    from gateway.sessions import Sessions
    from gateway.storage.database import Database

_log = structlog.get_logger("gateway.security")

_REASON = "ended by its owner"


class OwnSessions:
    """Every call names the owner: another account's session is not there."""

    def __init__(self, database: Database, *, sessions: Sessions, revocation: Revocation) -> None:
        self._database = database
        self._sessions = sessions
        self._revocation = revocation

    async def list(self, account_id: str) -> list[StoredSession]:
        """Give the sessions that count now, the newest first."""
        async with self._database.read() as connection:
            found = await list_sessions(connection, account_id)
        now = datetime.now(UTC)
        return [stored for stored in found if self._counts(stored.session, now)]

    def last_seen_at(self, session: Session) -> datetime:
        """Give the moment of last use, this process's own uses included."""
        return self._sessions.last_use.latest(session.id, session.last_seen_at) or session.last_seen_at

    async def end(self, account_id: str, session_id: str) -> None:
        """End a session at once. Raises `NotFound`."""
        async with self._revocation.transaction() as transaction:
            found = await find_session(transaction.connection, session_id)
            if found is None or found[0].account_id != account_id:
                raise NotFound(_NO_SUCH_SESSION)
            await self._revocation.end_session_within(transaction, session_id, reason=_REASON)
        _log.info("session_ended", session_id=session_id, reason=_REASON)

    async def end_others(self, account_id: str, *, keep: str) -> None:
        """End every other session, and the logins that are half finished."""
        async with self._revocation.transaction() as transaction:
            account = await find_account(transaction.connection, account_id)
            ended = await self._revocation.end_logins(transaction, account_id, keep=keep)
            for session_id in ended:
                await record(
                    transaction.connection,
                    EventKind.SESSION_ENDED,
                    account=account,
                    session_id=session_id,
                    reason=_REASON,
                )
        for session_id in ended:
            _log.info("session_ended", session_id=session_id, reason=_REASON)

    def _counts(self, session: Session, now: datetime) -> bool:
        return session.expires_at > now and self.last_seen_at(session) + session.idle_timeout > now


_NO_SUCH_SESSION = "You have no such session."
