"""Whoever asks, as they are inside a transaction."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.errors import TokenExpired
from gateway.models import AuthMode, Principal
from gateway.permissions import Permission, require_permission
from gateway.storage.accounts import find_account
from gateway.storage.sessions import find_session
from gateway.storage.standing import find_standing

if TYPE_CHECKING:
    from gateway.models import Standing
    from gateway.revocation.transaction import Transaction


async def asker_within(transaction: Transaction, asker: Principal | None, permission: Permission) -> Principal | None:
    """Give whoever asks as they are now; `None` is an operator at the shell. Raises `TokenExpired`, `PermissionDenied`.

    A body may come seconds after its head, and hashing many passwords takes longer. Whoever is removed or demoted
    meanwhile must not make in their last moment what would outlive them: an administrator, a password, a key.
    """
    if asker is None:
        return None
    account = await find_account(transaction.connection, asker.account_id)
    standing = None if account is None else await find_standing(transaction.connection, account)
    if account is None or standing is None or not account.active(transaction.now):
        raise TokenExpired
    if not await _still_counts(transaction, asker, standing):
        raise TokenExpired
    now = replace(asker, role=account.role, standing=standing)
    require_permission(now, permission)
    return now


async def _still_counts(transaction: Transaction, asker: Principal, standing: Standing) -> bool:
    """Say whether what brought them is still good: their session, or that nobody logs in."""
    if asker.session_id is None:
        return standing.organization.mode is AuthMode.NONE
    return await find_session(transaction.connection, asker.session_id) is not None
