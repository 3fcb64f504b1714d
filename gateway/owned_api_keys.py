"""Which keys does somebody have? People's own, and those of service accounts: made, shown, rotated and deleted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from gateway.api_keys import ApiKeys, Grant
from gateway.audit.events import EventKind, record
from gateway.errors import Conflict, InvalidFields, KeyCreationDisabled, NotFound
from gateway.facts.facts import api_key_subject
from gateway.key_limits import longest_life, require_short_life
from gateway.models import ApiKey
from gateway.permissions import Permission
from gateway.revocation.askers import asker_within
from gateway.storage.accounts import find_account
from gateway.storage.api_keys import delete_api_key, find_api_key, list_api_keys, mark_rotated
from gateway.storage.service_accounts import find_service_account

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.key_limits import KeyLimitsInForce, LongestLife
    from gateway.models import Principal
    from gateway.revocation import Revocation, Transaction
    from gateway.storage.database import Database

_log = structlog.get_logger("gateway.security")

LONGEST_OVERLAP = timedelta(days=7)
_LAST_MOMENT = datetime.max.replace(tzinfo=UTC)


class OwnedApiKeys:
    """The keys of one kind. Where a call names the owner, another one's key is not there; `None` is any owner.

    `asker`: whose access token came along, or `None` for an operator at the shell.
    """

    def __init__(
        self,
        database: Database,
        *,
        api_keys: ApiKeys,
        revocation: Revocation,
        limits: KeyLimitsInForce,
        of_service: bool = False,
    ) -> None:
        self._database = database
        self._api_keys = api_keys
        self._revocation = revocation
        self._limits = limits
        self._of_service = of_service
        # What it takes to make or rotate one.
        self._permission = Permission.SERVICE_ACCOUNTS_MANAGE if of_service else Permission.API_KEYS_CREATE
        # Each API has its own spelling for it.
        self._expiry_field = "expires_at" if of_service else "expiresAt"

    async def create(self, owner_id: str, grant: Grant, *, asker: Principal | None = None) -> tuple[ApiKey, str]:
        """Return the new key's record and the key itself, which is told once.

        Raises `InvalidFields`, `KeyCreationDisabled`, or `TokenExpired` or `PermissionDenied` where whoever asks has
        lost session or role meanwhile.
        """
        async with self._revocation.transaction() as transaction:
            await asker_within(transaction, asker, self._permission)
            now, longest = transaction.now, await self._longest_life(transaction, asker)
            end = require_short_life(grant.expires_at, longest, field=self._expiry_field, now=now)
            await self._require_owner(transaction.connection, owner_id)
            created = await self._issue(transaction, owner_id, Grant(grant.name, grant.scopes, expires_at=end))
            await _record(transaction, EventKind.API_KEY_CREATED, created[0])
        _log.info("api_key_created", **_owner(created[0]), api_key_id=created[0].id)
        return created

    async def list(self, owner_id: str | None = None) -> list[ApiKey]:
        async with self._database.read() as connection:
            return await list_api_keys(connection, owner_id, of_service=self._of_service)

    async def find(self, owner_id: str | None, api_key_id: str) -> ApiKey:
        async with self._database.read() as connection:
            return await self._find_owned(connection, owner_id, api_key_id)

    def last_used_at(self, api_key: ApiKey) -> datetime | None:
        return self._api_keys.last_use.latest(api_key.id, api_key.last_used_at)

    async def rotate(
        self, owner_id: str | None, api_key_id: str, *, overlap: timedelta, asker: Principal | None = None
    ) -> tuple[ApiKey, str]:
        """Replace a key by one for the same purpose and as long a life; the old one ends after the overlap.

        Raises `NotFound`, `Conflict` where it has its successor already, or what `create` does.
        """
        async with self._revocation.transaction() as transaction:
            await asker_within(transaction, asker, self._permission)
            connection, now = transaction.connection, transaction.now
            longest = await self._longest_life(transaction, asker)
            old = await self._find_owned(connection, owner_id, api_key_id)
            # An overlap never makes the old key live longer than it would have.
            end = now + overlap if old.expires_at is None else min(old.expires_at, now + overlap)
            if not await mark_rotated(connection, old.id, expires_at=end, now=now):
                message = "This key was rotated already: rotate the key that replaced it."
                raise Conflict(message)
            grant = Grant(old.name, old.scopes, expires_at=_end_of_successor(old, longest, now=now))
            created = await self._issue(transaction, old.owner_id, grant)
            await transaction.invalidate(api_key_subject(old.id))
            await _record(transaction, EventKind.API_KEY_ROTATED, old)
        _log.info("api_key_rotated", **_owner(old), api_key_id=old.id, successor_id=created[0].id)
        return created

    async def delete(self, owner_id: str | None, api_key_id: str) -> None:
        """End a key at once. Raises `NotFound`."""
        async with self._revocation.transaction() as transaction:
            api_key = await self._find_owned(transaction.connection, owner_id, api_key_id)
            await delete_api_key(transaction.connection, api_key_id)
            await _record(transaction, EventKind.API_KEY_ENDED, api_key)
            await transaction.invalidate(api_key_subject(api_key_id))
        _log.info("api_key_revoked", **_owner(api_key), api_key_id=api_key_id)

    async def _issue(self, transaction: Transaction, owner_id: str, grant: Grant) -> tuple[ApiKey, str]:
        return await self._api_keys.issue(
            transaction.connection, owner_id, grant, now=transaction.now, of_service=self._of_service
        )

    async def _longest_life(self, transaction: Transaction, asker: Principal | None) -> LongestLife | None:
        """Read the limits that are in force now. Raises `KeyCreationDisabled` for people who make keys themselves."""
        limits = await self._limits.read(transaction.connection)
        if limits.pat_creation_disabled and asker is not None and not self._of_service:
            raise KeyCreationDisabled
        return longest_life(limits, of_service=self._of_service)

    async def _require_owner(self, connection: AsyncConnection, owner_id: str) -> None:
        if not self._of_service and await find_account(connection, owner_id) is None:
            message = "There is no such account any more."
            raise NotFound(message)
        if self._of_service and await find_service_account(connection, owner_id) is None:
            raise InvalidFields(fields={"service_account_id": "There is no such service account."})

    async def _find_owned(self, connection: AsyncConnection, owner_id: str | None, api_key_id: str) -> ApiKey:
        found = await find_api_key(connection, api_key_id)
        if found is None or found.of_service is not self._of_service or owner_id not in {None, found.owner_id}:
            message = "There is no such service key." if self._of_service else "You have no such API key."
            raise NotFound(message)
        return found


def _end_of_successor(old: ApiKey, longest: LongestLife | None, *, now: datetime) -> datetime | None:
    """Give a successor the life of the old key, cut where less is allowed by now."""
    end = None if old.expires_at is None else _later(now, old.expires_at - old.created_at)
    if longest is None:
        return end
    return longest.end(now) if end is None else min(end, longest.end(now))


def _later(now: datetime, life: timedelta) -> datetime:
    # Whoever wants a key for good writes the year 9999, and no calendar here goes on from there.
    return now + min(life, _LAST_MOMENT - now)


async def _record(transaction: Transaction, kind: EventKind, api_key: ApiKey) -> None:
    connection, name, prefix = transaction.connection, api_key.name, api_key.prefix
    if not api_key.of_service:
        await record(connection, kind, account_id=api_key.owner_id, api_key=name, prefix=prefix)
        return
    # A service account is no account and does nothing by itself: it is named beside.
    owner = await find_service_account(connection, api_key.owner_id)
    service = "" if owner is None else owner.name
    await record(connection, kind, api_key=name, prefix=prefix, service_account=service)


def _owner(api_key: ApiKey) -> dict[str, str]:
    return {"service_account_id" if api_key.of_service else "account_id": api_key.owner_id}
