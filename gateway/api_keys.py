"""Which programs do we know?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from gateway.credentials.session_tokens import digest_token
from gateway.models import Account, ApiKey, Organization, Scope
from gateway.storage import api_keys as stored
from gateway.storage.groups import list_groups_of
from gateway.storage.last_use import LastUse

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.credentials.api_keys import ApiKeyFormat
    from gateway.storage.database import Database


@dataclass(frozen=True, slots=True)
class Grant:
    """What a new key is for: its name, what it is limited to (no scopes: whatever the owner may), until when."""

    name: str
    scopes: tuple[Scope, ...] = ()
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class KnownApiKey:
    """A key that counts now, with its owner."""

    api_key: ApiKey
    account: Account
    organization: Organization
    groups: tuple[str, ...]


class ApiKeys:
    """Issue and find API keys. Ending them goes through the invalidation log, as with sessions."""

    def __init__(self, database: Database, *, key_format: ApiKeyFormat, digest_key: bytes) -> None:
        self._database = database
        self._digest_key = digest_key
        self.format = key_format
        self.last_use = LastUse(database, write=stored.touch_api_keys)

    def digest(self, key: str) -> bytes:
        return digest_token(key, key=self._digest_key)

    async def issue(
        self, connection: AsyncConnection, account_id: str, grant: Grant, *, now: datetime
    ) -> tuple[ApiKey, str]:
        """Store a new key inside the caller's transaction; returns it and the key itself, which is told once."""
        key = self.format.make()
        api_key = ApiKey(
            id=str(uuid4()),
            account_id=account_id,
            name=grant.name,
            prefix=self.format.shown_part(key),
            scopes=grant.scopes,
            created_at=now,
            expires_at=grant.expires_at,
        )
        await stored.insert_api_key(connection, api_key, key_digest=self.digest(key))
        return api_key, key

    async def find(self, key: str) -> KnownApiKey | None:
        """Find a key that is neither expired nor without an active owner."""
        async with self._database.read() as connection:
            found = await stored.find_api_key_by_digest(connection, self.digest(key))
            if found is None or not _counts(found[0], found[1]):
                return None
            return KnownApiKey(*found, groups=tuple(await list_groups_of(connection, found[1].id)))


def _counts(api_key: ApiKey, owner: Account) -> bool:
    now = datetime.now(UTC)
    expired = api_key.expires_at is not None and api_key.expires_at <= now
    return not expired and owner.active(now)
