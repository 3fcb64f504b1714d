"""Ending sessions because somebody asked for just that: each is audited and logged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.audit.events import EventKind, record
from gateway.revocation.accounts import end_logins
from gateway.storage.sessions import find_session

if TYPE_CHECKING:
    from gateway.models import Account
    from gateway.revocation.revocation import Revocation
    from gateway.revocation.transaction import Transaction


async def end_one_session(revocation: Revocation, session_id: str, *, account_id: str | None, reason: str) -> bool:
    """End a session, which has to be that account's if one is named; `False`: there is no such session."""
    async with revocation.transaction() as transaction:
        found = await find_session(transaction.connection, session_id)
        if found is None or account_id not in {None, found[0].account_id}:
            return False
        await revocation.end_session_within(transaction, session_id, reason=reason)
        transaction.log("session_ended", session_id=session_id, reason=reason)
    return True


async def end_every_session(transaction: Transaction, account: Account, *, reason: str, keep: str | None = None) -> int:
    """End the sessions but for the one to keep, and the logins that are half finished; says how many sessions.

    Each is audited and logged: nothing else that ended them is.
    """
    ended = await end_logins(transaction, account.id, keep=keep)
    for session_id in ended:
        await record(
            transaction.connection, EventKind.SESSION_ENDED, account=account, session_id=session_id, reason=reason
        )
        transaction.log("session_ended", session_id=session_id, reason=reason)
    return len(ended)
