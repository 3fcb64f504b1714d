"""Moments of last use: one write per batch, none lost in an outage, and what goes with an account goes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.errors import Unavailable
from gateway.models import ApiKey
from gateway.storage.api_keys import find_api_key, insert_api_key, touch_api_keys
from gateway.storage.credential_owners import API_KEY_BY_DIGEST
from gateway.storage.database import Database
from gateway.storage.groups import insert_group, insert_member, list_group_members
from gateway.storage.last_use import LastUse
from tests.support.database import Disk, add_account, add_organization
from tests.support.gateway import environment, start_gateway

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


def _limit(monkeypatch: pytest.MonkeyPatch, *, batch: int = 100, many: int = 100, kept: int = 100) -> None:
    for name, limit in (("_BATCH", batch), ("_MANY", many), ("_KEPT", kept)):
        monkeypatch.setattr(f"gateway.storage.last_use.{name}", limit)


def _note(
    written: list[list[str]], failing: list[Unavailable | None] | None = None
) -> Callable[[AsyncConnection, Mapping[str, datetime]], Awaitable[None]]:
    """Give what writes nothing, and notes whose uses it was to write, or fails in the order given."""
    failures = iter(failing or ())

    async def write(_: AsyncConnection, seen: Mapping[str, datetime]) -> None:
        if (failure := next(failures, None)) is not None:
            raise failure
        written.append(list(seen))

    return write


class Background:
    """Uses that are written in the background, which fails for as long as the database is said to be away."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._written: asyncio.Queue[list[str]] = asyncio.Queue()
        self._last_use = LastUse(database, write=self._note)
        self.moments: dict[str, datetime] = {}
        self.used_meanwhile = ""
        self.away = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        writing = asyncio.create_task(self._last_use.run())
        # An interval begins.
        await asyncio.sleep(0)
        yield
        writing.cancel()
        with suppress(asyncio.CancelledError):
            await writing

    async def _note(self, _: AsyncConnection, seen: Mapping[str, datetime]) -> None:
        self._written.put_nowait(list(seen))
        self.moments.update(seen)
        self.use(self.used_meanwhile, time.time())
        if self.away:
            raise Unavailable

    def use(self, names: str, now: float = NOW.timestamp(), before: float = 0.0) -> None:
        for name in names:
            self._last_use.touch(name, now, before)

    async def next_written(self) -> list[str]:
        return await asyncio.wait_for(self._written.get(), 10)

    async def rests(self) -> bool:
        """Tell whether nothing is written while others write several times, who stand in the same line."""
        for _ in range(3):
            async with self._database.write():
                pass
        return self._written.empty()


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
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    _limit(monkeypatch, batch=1, many=3, kept=3)
    last_use = LastUse(database, write=touch_api_keys)
    for name in "abcde":
        last_use.touch(name, NOW.timestamp())
    assert [name for name in "abcde" if last_use.latest(name, None)] == ["c", "d", "e"]


async def test_no_transaction_is_longer_than_a_batch(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    _limit(monkeypatch, batch=2)
    written: list[list[str]] = []
    last_use = LastUse(database, write=_note(written))
    for name in "abcde":
        last_use.touch(name, NOW.timestamp())
    last_use.touch("a", NOW.timestamp() + 1)
    await last_use.write()
    assert written == [["a", "b"], ["c", "d"], ["e"]]
    assert not any(last_use.latest(name, None) for name in "abcde")


async def test_batches_before_a_failure_are_written_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    _limit(monkeypatch, batch=2)
    written: list[list[str]] = []
    failing = [None, Unavailable(), None, None]
    last_use = LastUse(database, write=_note(written, failing))
    for name in "abcde":
        last_use.touch(name, NOW.timestamp())
    with pytest.raises(Unavailable):
        await last_use.write()
    await last_use.write()
    assert written == [["a", "b"], ["c", "d"], ["e"]]


async def test_stop_waits_no_longer_than_it_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of what is closed then would be cut off."""

    async def write(_: LastUse) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(LastUse, "write", write)
    monkeypatch.setattr("gateway.app._LAST_USES_WITHIN", timedelta(0))
    async with start_gateway(environment(tmp_path)):
        pass


async def test_use_during_a_write_is_known_and_written_next(
    database: Database, api_key: ApiKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often one is used, it does not keep the others from being written."""
    _limit(monkeypatch, batch=1)
    last_use = LastUse(database, write=touch_api_keys)

    async def touch_again(connection: AsyncConnection, seen: Mapping[str, datetime]) -> None:
        assert all(last_use.latest(name, None) == at for name, at in seen.items())
        last_use.touch(api_key.id, NOW.timestamp() + 1)
        await touch_api_keys(connection, seen)

    monkeypatch.setattr(last_use, "_write", touch_again)
    for name in (api_key.id, "other"):
        last_use.touch(name, NOW.timestamp())
    await last_use.write()
    assert await _stored(database) == NOW
    assert last_use.latest("other", None) is None
    assert last_use.latest(api_key.id, NOW) == NOW + timedelta(seconds=1)
    monkeypatch.setattr(last_use, "_write", touch_api_keys)
    await last_use.write()
    assert await _stored(database) == NOW + timedelta(seconds=1)


async def test_two_writes_at_once_are_one(database: Database) -> None:
    written: list[list[str]] = []
    last_use = LastUse(database, write=_note(written))
    last_use.touch("a", NOW.timestamp())
    await asyncio.gather(last_use.write(), last_use.write())
    assert written == [["a"]]


async def test_write_that_is_cancelled_loses_nothing(database: Database, api_key: ApiKey, disk: Disk) -> None:
    """The work in the background ends so, and what waits is written after it."""
    last_use = LastUse(database, write=touch_api_keys)
    last_use.touch(api_key.id, NOW.timestamp())
    disk.stop()
    writing = asyncio.create_task(last_use.write())
    await disk.reached.wait()
    writing.cancel()
    with suppress(asyncio.CancelledError):
        await writing
    disk.go_on()
    await last_use.write()
    assert await _stored(database) == NOW


async def test_uses_that_are_forgotten_during_their_write_do_not_disturb_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    _limit(monkeypatch, batch=2, many=2, kept=2)

    async def use_others(_: AsyncConnection, _seen: Mapping[str, datetime]) -> None:
        for name in ("c", "d"):
            last_use.touch(name, NOW.timestamp())

    last_use = LastUse(database, write=use_others)
    for name in "ab":
        last_use.touch(name, NOW.timestamp())
    await last_use.write()
    assert [name for name in "abcd" if last_use.latest(name, None)] == ["c", "d"]


async def test_few_uses_are_written_after_the_interval(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.storage.last_use._INTERVAL", timedelta())
    background = Background(database)
    async with background.running():
        for name in "ab":
            background.use(name)
            assert await background.next_written() == [name]


async def test_many_uses_do_not_wait_for_the_interval(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    _limit(monkeypatch, many=3)
    background = Background(database)
    async with background.running():
        for names in ("abc", "defg"):
            background.use(names)
            assert await background.next_written() == list(names)


async def test_few_that_are_left_of_many_wait_for_the_interval(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    _limit(monkeypatch, many=3)
    background = Background(database)
    background.used_meanwhile = "d"
    async with background.running():
        background.use("abc")
        assert await background.next_written() == ["a", "b", "c"]
        assert await background.rests()


async def test_who_is_in_use_all_the_time_is_written_once_in_an_interval(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many they are: to write them costs more than to check them."""
    _limit(monkeypatch, many=3)
    background = Background(database)
    async with background.running():
        began_at = time.time()
        background.use("abc", began_at)
        assert await background.next_written() == ["a", "b", "c"]
        assert await background.rests()
        background.use("abc", began_at + 1, before=began_at)
        # These were not used since the interval began.
        background.use("de", began_at + 1, before=began_at - 100)
        background.use("d", began_at + 2, before=began_at + 1)
        background.use("f", began_at + 1, before=began_at - 100)
        assert await background.next_written() == ["d", "e", "f"]
        assert background.moments["d"] == datetime.fromtimestamp(began_at + 2, UTC)


async def test_flood_does_not_keep_an_interval_from_ending(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    _limit(monkeypatch, many=1)
    monkeypatch.setattr("gateway.storage.last_use._INTERVAL", timedelta(milliseconds=50))
    background = Background(database)
    background.used_meanwhile = "b"
    async with background.running(), asyncio.timeout(10):
        background.use("a", before := time.time())
        assert [await background.next_written() for _ in range(2)] == [["a"], ["b"]]
        while "a" not in await background.next_written():
            background.use("a", now := time.time(), before)
            before = now


async def test_who_was_written_early_is_written_again_in_the_next_interval(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    _limit(monkeypatch, many=1)
    monkeypatch.setattr("gateway.storage.last_use._INTERVAL", timedelta(milliseconds=50))
    background = Background(database)
    async with background.running(), asyncio.timeout(10):
        background.use("a", before := time.time())
        assert await background.next_written() == ["a"]
        while await background.rests():
            background.use("a", now := time.time(), before)
            before = now


@pytest.mark.parametrize("retry", [timedelta(), timedelta(hours=1)])
async def test_database_that_is_away_is_asked_again_and_not_at_once(
    database: Database, monkeypatch: pytest.MonkeyPatch, retry: timedelta
) -> None:
    """N2."""
    _limit(monkeypatch, many=3)
    monkeypatch.setattr("gateway.storage.last_use._RETRY", retry)
    background = Background(database)
    background.away = True
    async with background.running():
        background.use("abc")
        assert await background.next_written() == ["a", "b", "c"]
        if retry:
            assert await background.rests()
        else:
            assert await background.next_written() == ["a", "b", "c"]


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
