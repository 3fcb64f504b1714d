"""What an administrator decides about an account, inside a transaction: the last of them cannot be lost on any path."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from gateway.audit.events import EventKind, record
from gateway.errors import Conflict
from gateway.facts.facts import account_subject
from gateway.models import Account, OrganizationRole
from gateway.storage.accounts import find_account, is_last_active_admin, set_banned, set_disabled
from gateway.storage.challenges import delete_challenges_of
from gateway.storage.default_account import find_default_account
from gateway.storage.members import delete_account, set_name, set_role
from gateway.storage.sessions import delete_sessions_of

if TYPE_CHECKING:
    from gateway.revocation.transaction import Transaction


async def _require_another_admin(transaction: Transaction, account: Account) -> None:
    """Raise `Conflict` for the last active Organization Admin: nobody could let anybody in again.

    Where nobody logs in that is the default user, however many others there are: nobody can become one of them.
    """
    default = await find_default_account(transaction.connection)
    if default is not None and default.id == account.id:
        message = f"{default.email} is the default user: as long as nobody logs in, everybody is"
        raise Conflict(message)
    if await is_last_active_admin(transaction.connection, account.id, now=transaction.now):
        message = f"{account.email} is the last active Organization Admin: make another one first"
        raise Conflict(message)


async def disable(transaction: Transaction, account: Account) -> None:
    """Disable an account and end its sessions. Raises `Conflict` for the last active Organization Admin."""
    current = await find_account(transaction.connection, account.id)
    if current is None or current.disabled:
        return
    await _require_another_admin(transaction, account)
    await set_disabled(transaction.connection, account.id, disabled=True, now=transaction.now)
    await record(transaction.connection, EventKind.ACCOUNT_DISABLED, account=account)
    await end_logins(transaction, account.id)
    transaction.log("account_disabled", account_id=account.id)


async def enable(transaction: Transaction, account: Account) -> None:
    """Let an account log in again; the sessions that ended stay so."""
    current = await find_account(transaction.connection, account.id)
    if current is None or not current.disabled:
        return
    await set_disabled(transaction.connection, account.id, disabled=False, now=transaction.now)
    await record(transaction.connection, EventKind.ACCOUNT_ENABLED, account=account)
    await transaction.invalidate(account_subject(account.id))
    transaction.log("account_enabled", account_id=account.id)


async def ban(transaction: Transaction, account: Account, *, until: datetime, reason: str) -> None:
    """Ban an account and end its sessions. Raises `Conflict` for the last active Organization Admin."""
    await _require_another_admin(transaction, account)
    await set_banned(transaction.connection, account.id, until=until)
    await record(
        transaction.connection,
        EventKind.ACCOUNT_BANNED,
        account=account,
        until=until.isoformat(timespec="seconds"),
        reason=reason,
    )
    await end_logins(transaction, account.id)
    transaction.log("account_banned", account_id=account.id)


async def unban(transaction: Transaction, account: Account) -> None:
    await set_banned(transaction.connection, account.id, until=None)
    await record(transaction.connection, EventKind.ACCOUNT_UNBANNED, account=account)
    await transaction.invalidate(account_subject(account.id))
    transaction.log("account_unbanned", account_id=account.id)


async def change_role(transaction: Transaction, account: Account, role: OrganizationRole) -> None:
    """Give another role; sessions go on with it. Raises `Conflict` where the last active Organization Admin would go.

    `account` is as it is in this transaction.
    """
    if role is account.role:
        return
    if account.role is OrganizationRole.ADMIN:
        await _require_another_admin(transaction, account)
    await set_role(transaction.connection, account.id, role=role, now=transaction.now)
    before, after = account.role.value, role.value
    await record(transaction.connection, EventKind.ROLE_CHANGED, account=account, before=before, after=after)
    await transaction.invalidate(account_subject(account.id))
    transaction.log("role_changed", account_id=account.id, before=before, after=after)


async def rename(transaction: Transaction, account: Account, name: str) -> None:
    """Give another name: applications are told the new one at once."""
    if name == account.name:
        return
    await set_name(transaction.connection, account.id, name=name, now=transaction.now)
    await record(transaction.connection, EventKind.ACCOUNT_RENAMED, account=account, before=account.name, after=name)
    await transaction.invalidate(account_subject(account.id))
    transaction.log("account_renamed", account_id=account.id)


async def remove(transaction: Transaction, account: Account) -> None:
    """Delete an account with everything that is its own. Raises `Conflict` for the last active Organization Admin."""
    await _require_another_admin(transaction, account)
    await record(transaction.connection, EventKind.ACCOUNT_REMOVED, account=account, role=account.role.value)
    await delete_account(transaction.connection, account.id)
    await transaction.invalidate(account_subject(account.id))
    transaction.log("account_removed", account_id=account.id)


async def end_logins(transaction: Transaction, account_id: str, *, keep: str | None = None) -> list[str]:
    """End sessions and half-finished logins of an account, but for the one session to keep; gives their ids."""
    # One entry for the account covers all of its sessions, and the kept one is read anew.
    ended = await delete_sessions_of(transaction.connection, account_id, keep=keep)
    await delete_challenges_of(transaction.connection, account_id)
    await transaction.invalidate(account_subject(account_id))
    return ended
