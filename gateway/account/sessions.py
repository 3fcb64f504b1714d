"""An account's sessions: shown to and ended by their owner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.errors import NotFound, TokenExpired
from gateway.revocation.sessions import end_every_session, end_one_session
from gateway.sessions import list_open_sessions
from gateway.storage.accounts import find_account
from gateway.storage.sessions import StoredSession

if TYPE_CHECKING:
    from gateway.revocation import Revocation
    from gateway.sessions import Sessions
    from gateway.storage.database import Database

_REASON = "ended by its owner"


class OwnSessions:
    """Every call names the owner: another account's session is not there."""

    def __init__(self, database: Database, *, sessions: Sessions, revocation: Revocation) -> None:
        self._database = database
        self._sessions = sessions
        self._revocation = revocation

    async def list(self, account_id: str) -> list[StoredSession]:
        """Give the sessions that count now, the newest first."""
        return await list_open_sessions(self._database, self._sessions.last_use, account_id=account_id)

    async def end(self, account_id: str, session_id: str) -> None:
        """End a session at once. Raises `NotFound`."""
        if not await end_one_session(self._revocation, session_id, account_id=account_id, reason=_REASON):
            raise NotFound(_NO_SUCH_SESSION)

    async def end_others(self, account_id: str, *, keep: str) -> None:
        """End every other session, and the logins that are half finished. Raises `TokenExpired`."""
        async with self._revocation.transaction() as transaction:
            account = await find_account(transaction.connection, account_id)
            if account is None:
                raise TokenExpired
            await end_every_session(transaction, account, reason=_REASON, keep=keep)


_NO_SUCH_SESSION = "You have no such session."
