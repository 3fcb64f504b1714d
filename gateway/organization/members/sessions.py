"""Other people's sessions: shown to and ended by an administrator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.errors import NotFound
from gateway.organization.accounts import require_account_by_id
from gateway.revocation.sessions import end_every_session, end_one_session
from gateway.sessions import list_open_sessions
from gateway.storage.accounts import find_account
from gateway.storage.sessions import StoredSession, list_accounts_logged_in

if TYPE_CHECKING:
    from gateway.revocation import Revocation
    from gateway.storage.database import Database
    from gateway.storage.last_use import LastUse

_REASON = "ended by an administrator"


class MemberSessions:
    """The sessions of everybody. API keys are no sessions, and go on."""

    def __init__(self, database: Database, *, last_use: LastUse, revocation: Revocation) -> None:
        self._database = database
        self._last_use = last_use
        self._revocation = revocation

    async def list_everybodys(self) -> list[StoredSession]:
        """Give everybody's sessions that count now, the newest first."""
        return await list_open_sessions(self._database, self._last_use)

    async def list_of(self, account_id: str) -> list[StoredSession]:
        """Give one person's. Raises `NotFound`."""
        async with self._database.read() as connection:
            await require_account_by_id(connection, account_id)
        return await list_open_sessions(self._database, self._last_use, account_id=account_id)

    async def end(self, session_id: str, *, account_id: str | None = None) -> None:
        """End a session, which has to be that person's if one is named. Raises `NotFound`."""
        if not await end_one_session(self._revocation, session_id, account_id=account_id, reason=_REASON):
            message = "There is no such session."
            raise NotFound(message)

    async def end_all(self, account_id: str) -> int:
        """End a person's sessions and half-finished logins; says how many sessions. Raises `NotFound`."""
        async with self._revocation.transaction() as transaction:
            account = await require_account_by_id(transaction.connection, account_id)
            return await end_every_session(transaction, account, reason=_REASON)

    async def end_everybodys(self) -> int:
        """End all that is open now, one person after another: others may write in between."""
        async with self._database.read() as connection:
            logged_in = await list_accounts_logged_in(connection)
        ended = 0
        for account_id in logged_in:
            async with self._revocation.transaction() as transaction:
                account = await find_account(transaction.connection, account_id)
                if account is not None:
                    ended += await end_every_session(transaction, account, reason=_REASON)
        return ended
