"""Which programs do we know?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from gateway.credentials.session_tokens import digest_token
from gateway.models import Account, ApiKey, Scope, ServiceAccount, Standing
from gateway.storage import api_keys as stored
from gateway.storage.credential_owners import API_KEY_BY_DIGEST, owned_api_key
from gateway.storage.last_use import LastUse

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.credentials.api_keys import ApiKeyFormats
    from gateway.storage.database import Database
    from gateway.storage.prepared_reads import Row


@dataclass(frozen=True, slots=True)
class Grant:
    """What a new key is for: its name, what it is limited to (no scopes: whatever the owner may), until when."""

    name: str
    scopes: tuple[Scope, ...] = ()
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class KnownApiKey:
    """A key that counts now, with its owner and what that is."""

    api_key: ApiKey
    owner: Account | ServiceAccount
    standing: Standing


class ApiKeys:
    """Issue and find API keys. Ending them goes through the invalidation log, as with sessions."""

    def __init__(self, database: Database, *, formats: ApiKeyFormats, digest_key: bytes) -> None:
        self._database = database
        self._digest_key = digest_key
        self.formats = formats
        self.last_use = LastUse(database, write=stored.touch_api_keys)

    def digest(self, key: str) -> bytes:
        return digest_token(key, key=self._digest_key)

    def claims(self, text: str) -> bool:
        """Say whether a text is recognisably one of our keys, good or bad."""
        return self.formats.recognise(text) is not None

    def is_sound(self, text: str) -> bool:
        """Say whether it can be one of our keys at all."""
        claimed = self.formats.recognise(text)
        return claimed is not None and claimed.is_sound(text)

    async def issue(
        self, connection: AsyncConnection, owner_id: str, grant: Grant, *, now: datetime, of_service: bool = False
    ) -> tuple[ApiKey, str]:
        """Store a new key inside the caller's transaction; returns it and the key itself, which is told once.

        The owner is an account, or a service account where the key is one `of_service`.
        """
        key_format = self.formats.of(service=of_service)
        key = key_format.make()
        api_key = ApiKey(
            id=str(uuid4()),
            owner_id=owner_id,
            name=grant.name,
            prefix=key_format.shown_part(key),
            scopes=grant.scopes,
            created_at=now,
            expires_at=grant.expires_at,
            of_service=of_service,
        )
        await stored.insert_api_key(connection, api_key, key_digest=self.digest(key))
        return api_key, key

    async def find(self, key: str) -> KnownApiKey | None:
        """Find a key that is neither expired nor without an active owner."""
        return _known(await self._database.look_up(API_KEY_BY_DIGEST, self.digest(key)))

    def find_at_once(self, key: str) -> KnownApiKey | None:
        """Find without waiting, where the database can do that; `None` says nothing."""
        return _known(self._database.look_up_at_once(API_KEY_BY_DIGEST, self.digest(key)))


def _known(row: Row | None) -> KnownApiKey | None:
    if row is None:
        return None
    api_key, owner, standing = owned_api_key(row)
    return KnownApiKey(api_key, owner, standing) if standing is not None and _counts(api_key, owner) else None


def _counts(api_key: ApiKey, owner: Account | ServiceAccount) -> bool:
    now = datetime.now(UTC)
    expired = api_key.expires_at is not None and api_key.expires_at <= now
    return not expired and (isinstance(owner, ServiceAccount) or owner.active(now))
