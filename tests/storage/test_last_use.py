"""Moments of last use: one write per batch, none lost in an outage, and what goes with an account goes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from gateway.errors import Unavailable
from gateway.models import ApiKey
from gateway.storage.api_keys import find_api_key, insert_api_key, touch_api_keys
from gateway.storage.credential_owners import API_KEY_BY_DIGEST
from gateway.storage.database import Database
from gateway.storage.groups import insert_group, insert_member, list_group_members
from gateway.storage.last_use import LastUse
from tests.support.database import Disk, add_account, add_organization

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
async def api_key(database: Database) -> ApiKey:
    """A key that nobody used yet."""
    await add_organization(database)
    owner = await add_account(database)
    api_key = ApiKey("k1", owner.id, "report", "lc_ak_abcd", scopes=(), created_at=NOW, expires_at=None)
    async with database.write() as connection:
        await insert_api_key(connection, api_key, key_digest=b"d" * 32)
    return api_key


async def _stored(database: Database) -> datetime | None:
    async with database.read() as connection:
        found = await find_api_key(connection, "k1")
    assert found is not None
    return found.last_used_at


async def test_many_uses_are_one_write(database: Database, api_key: ApiKey, disk: Disk) -> None:
    last_use = LastUse(database, write=touch_api_keys)
    for second in range(100):
        last_use.touch(api_key.id, NOW.timestamp() + second)
    disk.statements.clear()
    await last_use.write()
    assert len([statement for statement in disk.statements if "UPDATE" in statement]) == 1
    assert await _stored(database) == NOW + timedelta(seconds=99)
    disk.statements.clear()
    await last_use.write()
    assert disk.statements == []


async def test_uses_of_an_outage_are_written_after_it(database: Database, api_key: ApiKey, disk: Disk) -> None:
    last_use = LastUse(database, write=touch_api_keys)
    last_use.touch(api_key.id, NOW.timestamp())
    disk.broken = True
    with pytest.raises(Unavailable):
        await last_use.write()
    disk.broken = False
    assert last_use.latest(api_key.id, None) == NOW
    await last_use.write()
    assert await _stored(database) == NOW


async def test_long_outage_leaves_the_latest_uses_up_to_a_bound(
    database: Database, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.storage.last_use._KEPT", 3)
    last_use = LastUse(database, write=touch_api_keys)
    disk.broken = True
    for batch in range(3):
        for number in range(2):
            last_use.touch(f"{batch}{number}", NOW.timestamp())
        with pytest.raises(Unavailable):
            await last_use.write()
    kept = [name for batch in range(3) for number in range(2) if last_use.latest(name := f"{batch}{number}", None)]
    assert kept == ["11", "20", "21"]


async def test_latest_use_is_the_later_of_memory_and_store(database: Database) -> None:
    last_use = LastUse(database, write=touch_api_keys)
    assert last_use.latest("k1", None) is None
    assert last_use.latest("k1", NOW) == NOW
    last_use.touch("k1", NOW.timestamp())
    assert last_use.latest("k1", NOW - DAY) == NOW
    assert last_use.latest("k1", NOW + DAY) == NOW + DAY


async def test_earlier_use_never_replaces_a_later_one(database: Database, api_key: ApiKey) -> None:
    async with database.write() as connection:
        await touch_api_keys(connection, {api_key.id: NOW + DAY, "gone": NOW})
        await touch_api_keys(connection, {api_key.id: NOW})
    assert await _stored(database) == NOW + DAY


async def test_account_takes_its_keys_and_memberships_with_it(database: Database, api_key: ApiKey) -> None:
    """K3."""
    async with database.write() as connection:
        group = await insert_group(connection, "admins", now=NOW)
        assert await insert_member(connection, group.id, api_key.owner_id)
        await connection.execute(text("DELETE FROM accounts"))
        assert await API_KEY_BY_DIGEST.ask(connection, b"d" * 32) is None
        assert await find_api_key(connection, api_key.id) is None
        assert await list_group_members(connection, group.id) == {}
