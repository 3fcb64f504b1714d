"""No credential → the default user, where nobody logs in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gateway.storage.default_account import find_default_account
from gateway.storage.standing import find_standing

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.facts.cache import FactsCache
    from gateway.facts.facts import Facts
    from gateway.models import Principal
    from gateway.recognition.facts_of import FactsOf
    from gateway.storage.database import Database

# Where other facts stand under the digest of a credential, which is longer.
_NO_CREDENTIAL = b"no credential"


class DefaultUser:
    """Who asks without a credential. The facts end like all others, with the mode of the installation as well."""

    def __init__(self, database: Database, *, facts: FactsCache, facts_of: FactsOf) -> None:
        self._database = database
        self._facts = facts
        self._facts_of = facts_of

    async def principal(self) -> Principal | None:
        """Give the default user; `None` once the installation asks for logins, or the account does not count."""
        facts = self._facts.find(_NO_CREDENTIAL) or await self._facts.fetch(_NO_CREDENTIAL, self._load)
        return None if facts is None else facts.principal

    async def _load(self) -> Facts | None:
        return await self._database.ask(self._look)

    async def _look(self, connection: AsyncConnection) -> Facts | None:
        account = await find_default_account(connection)
        if account is None or not account.active(datetime.now(UTC)):
            return None
        standing = await find_standing(connection, account)
        return None if standing is None else self._facts_of.default_user(account, standing)
