"""Ending every session of an account because somebody asked for just that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.audit.events import EventKind, record
from gateway.revocation.accounts import end_logins

if TYPE_CHECKING:
    from gateway.models import Account
    from gateway.revocation.transaction import Transaction


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
