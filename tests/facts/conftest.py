"""A cache over a real store, a clock that moves when a test says so, and loads that wait when it says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from gateway.facts.cache import FactsCache
from gateway.facts.facts import Facts
from gateway.models import CredentialKind, OrganizationRole, Principal, Standing
from gateway.storage.database import Database
from tests.support.database import append
from tests.support.visitors import ORGANIZATION

ENTRIES = 3
AGE = timedelta(minutes=5)
GRACE = timedelta(seconds=60)


class Clock:
    """Takes the place of the `time` module in the modules under test."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in ("gateway.facts.tail", "gateway.facts.contact", "gateway.facts.cache", "gateway.facts.log_reader"):
        monkeypatch.setattr(f"{module}.time", clock)
    return clock


def facts(account: str = "ada", session: str = "s1") -> Facts:
    principal = Principal(
        account_id=account,
        email=f"{account}@example.com",
        username=None,
        name=account,
        role=OrganizationRole.USER,
        standing=Standing(ORGANIZATION, memberships=()),
        workspace=None,
        credential=CredentialKind.SESSION,
        session_id=session,
        level=1,
        must_change_password=False,
    )
    return Facts(principal, expires_at=2e9)


class Store:
    """What a load finds. It can be held in the middle; it counts how often it was asked."""

    def __init__(self, *found: Facts | None) -> None:
        self.found = list(found) or [facts()]
        self.asked = 0
        self.reached = asyncio.Event()
        self.answers = asyncio.Event()
        self.answers.set()

    def hold(self) -> None:
        self.answers.clear()
        self.reached.clear()

    async def load(self) -> Facts | None:
        found = self.found[min(self.asked, len(self.found) - 1)]
        self.asked += 1
        self.reached.set()
        await self.answers.wait()
        return found


class FromDatabase(Store):
    """A load that needs the database, as every real one does."""

    def __init__(self, database: Database, *found: Facts | None) -> None:
        super().__init__(*found)
        self._database = database

    async def load(self) -> Facts | None:
        async with self._database.read() as connection:
            await connection.exec_driver_sql("SELECT 1")
        return await super().load()


@pytest.fixture
async def cache(database: Database, clock: Clock) -> AsyncIterator[FactsCache]:
    assert clock.now
    await append(database, "appended before anybody read the log")
    cache = FactsCache(database, max_entries=ENTRIES, max_age=AGE, outage_grace=GRACE)
    await cache.tail.catch_up()
    yield cache
    await cache.tail.close()


async def known(cache: FactsCache, digest: bytes = b"d", found: Facts | None = None) -> Facts:
    loaded = await cache.fetch(digest, Store(found or facts()).load)
    assert loaded is not None
    return loaded
