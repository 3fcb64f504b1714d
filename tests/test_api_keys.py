"""Which programs do we know: keys are found by their digest, and what ends them ends their facts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from structlog.testing import capture_logs

from gateway.api_keys import ApiKeys, Grant
from gateway.credentials.access_tokens import AccessTokens
from gateway.credentials.api_keys import ApiKeyFormat, ApiKeyFormats
from gateway.errors import Conflict, InvalidApiKey, InvalidFields, NotFound, Unavailable
from gateway.facts.cache import FactsCache
from gateway.facts.facts import api_key_subject
from gateway.key_limits import KeyLimitsInForce
from gateway.models import Account, ApiKey, CredentialKind, Scope
from gateway.organization.groups.groups import Groups
from gateway.owned_api_keys import OwnedApiKeys
from gateway.sessions import SessionLifetimes, Sessions
from gateway.storage.database import Database
from tests.support.database import Disk, add_account, add_organization, invalidated
from tests.support.parts import disable, enable, make_revocation
from tests.support.recognition import make_recognition

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)
REPORT = Grant("report")
KEYS = ApiKeyFormat("lc_ak_")
FORMATS = ApiKeyFormats(personal=KEYS, service=ApiKeyFormat("lc_sk_"))
NO_LIMITS = KeyLimitsInForce({})


class Process:
    """One gateway process: facts of its own over the common store."""

    def __init__(self, database: Database, *, level: int = 1) -> None:
        self.database = database
        self.facts = FactsCache(database, max_entries=10, max_age=timedelta(days=365), outage_grace=timedelta(0))
        self.api_keys = ApiKeys(database, formats=FORMATS, digest_key=b"salt")
        self.revocation = make_revocation(database, self.facts.apply)
        self.owned = OwnedApiKeys(database, api_keys=self.api_keys, revocation=self.revocation, limits=NO_LIMITS)
        self.recognition = make_recognition(
            database,
            facts=self.facts,
            sessions=Sessions(database, token_key=b"key", lifetimes=SessionLifetimes(DAY, DAY, DAY)),
            access_tokens=AccessTokens(key=b"k" * 32, issuer="https://auth.test", lifetime=DAY),
            api_keys=self.api_keys,
            api_key_level=level,
        )

    async def recognises(self, key: str) -> bool:
        try:
            await self.recognition.by_api_key(key)
        except InvalidApiKey:
            return False
        return True

    async def log(self) -> tuple[str, ...]:
        return await invalidated(self.database)


@pytest.fixture(autouse=True)
def travel() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
async def ada(database: Database) -> Account:
    await add_organization(database)
    return await add_account(database)


@pytest.fixture
async def one(database: Database) -> AsyncIterator[Process]:
    process = Process(database)
    yield process
    await process.facts.tail.close()


@pytest.fixture
async def other(database: Database) -> AsyncIterator[Process]:
    process = Process(database)
    yield process
    await process.facts.tail.close()


async def test_key_stands_for_its_owner_within_its_scopes(one: Process, ada: Account) -> None:
    """K3."""
    scope = Scope(host="app.example.com", path="/api/**", methods=("GET",))
    api_key, key = await one.owned.create(ada.id, Grant("report", scopes=(scope,)))
    principal = await one.recognition.by_api_key(key)
    assert (principal.account_id, principal.email, principal.credential) == (ada.id, ada.email, CredentialKind.API_KEY)
    assert (principal.scopes, principal.api_key_id, principal.session_id) == ((scope,), api_key.id, None)
    assert principal.level == 1


async def test_what_keys_satisfy_is_a_setting(database: Database, ada: Account) -> None:
    process = Process(database, level=2)
    _, key = await process.owned.create(ada.id, REPORT)
    assert (await process.recognition.by_api_key(key)).level == 2
    await process.facts.tail.close()


async def test_unsound_key_is_refused_before_anything_is_read(one: Process, ada: Account, disk: Disk) -> None:
    """K1."""
    _, key = await one.owned.create(ada.id, REPORT)
    disk.statements.clear()
    for wrong in ("", "lc_ak_", key[:-1], key + "0", key.swapcase(), "lc_ak_" + "0" * 38, "lc_ak_\udcff"):
        assert not await one.recognises(wrong)
    assert disk.statements == []


async def test_sound_key_that_nobody_made_is_refused(one: Process, ada: Account) -> None:
    await one.owned.create(ada.id, REPORT)
    with pytest.raises(InvalidApiKey) as refused:
        await one.recognition.by_api_key(KEYS.make())
    assert (refused.value.status, refused.value.code, refused.value.title) == (401, "invalid_api_key", "Unauthorized")


async def test_known_key_costs_no_look_up(one: Process, ada: Account, disk: Disk) -> None:
    _, key = await one.owned.create(ada.id, REPORT)
    assert await one.recognises(key)
    disk.statements.clear()
    assert await one.recognises(key)
    assert disk.statements == []


async def test_nothing_usable_is_stored(one: Process, ada: Account, tmp_path: Path) -> None:
    """K1."""
    _, key = await one.owned.create(ada.id, REPORT)
    assert await one.recognises(key)
    await one.api_keys.last_use.write()
    files = _contents(tmp_path)
    assert any(KEYS.shown_part(key).encode() in content for content in files), "what people see is found"
    assert not any(key[len(KEYS.shown_part(key)) :].encode() in content for content in files)
    assert not any(key.encode().hex().encode() in content for content in files)


async def test_changed_salt_knows_no_key(one: Process, ada: Account) -> None:
    _, key = await one.owned.create(ada.id, REPORT)
    assert await ApiKeys(one.database, formats=FORMATS, digest_key=b"other").find(key) is None


async def test_key_is_never_logged(one: Process, ada: Account) -> None:
    """K2."""
    with capture_logs() as logs:
        api_key, first = await one.owned.create(ada.id, REPORT)
        await one.recognises(first)
        await one.recognises(KEYS.make())
        successor, second = await one.owned.rotate(ada.id, api_key.id, overlap=DAY)
        await one.owned.delete(ada.id, successor.id)
    assert [line["event"] for line in logs] == ["api_key_created", "api_key_rotated", "api_key_revoked"]
    assert not [line for line in logs for key in (first, second) if KEYS.shown_part(key) in str(line)]


async def test_key_has_no_representation_that_tells_it(one: Process, ada: Account) -> None:
    """K2."""
    api_key, key = await one.owned.create(ada.id, REPORT)
    known = await one.api_keys.find(key)
    principal = await one.recognition.by_api_key(key)
    assert not [shown for shown in map(repr, (api_key, known, principal, InvalidApiKey())) if key in shown]


async def test_key_ends_at_its_moment_and_not_before(
    one: Process, ada: Account, travel: time_machine.Traveller
) -> None:
    """K3."""
    _, key = await one.owned.create(ada.id, Grant("report", expires_at=START + DAY))
    assert await one.recognises(key)
    travel.move_to(START + DAY - INSTANT, tick=False)
    assert await one.recognises(key)
    travel.move_to(START + DAY, tick=False)
    assert not await one.recognises(key)


async def test_key_without_an_end_does_not_end_by_not_being_used(
    one: Process, ada: Account, travel: time_machine.Traveller
) -> None:
    _, key = await one.owned.create(ada.id, REPORT)
    assert await one.recognises(key)
    travel.shift(timedelta(days=3650))
    assert await one.recognises(key)


@pytest.mark.parametrize("ago", [timedelta(0), INSTANT, DAY])
async def test_key_cannot_be_made_for_the_past(one: Process, ada: Account, ago: timedelta) -> None:
    with pytest.raises(InvalidFields) as refused:
        await one.owned.create(ada.id, Grant("report", expires_at=START - ago))
    assert set(refused.value.fields) == {"expiresAt"}
    assert await one.owned.list(ada.id) == []


async def test_deleted_key_is_refused_everywhere_at_once(one: Process, other: Process, ada: Account) -> None:
    """K3."""
    api_key, key = await one.owned.create(ada.id, REPORT)
    _, kept = await one.owned.create(ada.id, REPORT)
    assert await other.recognises(key)
    await one.owned.delete(ada.id, api_key.id)
    assert await one.log() == (api_key_subject(api_key.id),)
    for subject in await one.log():
        other.facts.apply(subject)
    assert not await one.recognises(key)
    assert not await other.recognises(key)
    assert await one.recognises(kept)


async def test_key_that_was_being_looked_up_while_it_was_deleted_does_not_come_back(
    one: Process, ada: Account, disk: Disk
) -> None:
    """K3: the look-up had read the row, and ends after the deletion."""
    api_key, key = await one.owned.create(ada.id, REPORT)
    await one.facts.tail.catch_up()
    groups_are_read = disk.expect("FROM group_members")
    read_on, held = asyncio.Event(), one.api_keys.find

    async def find_slowly(wanted: str) -> object:
        found = await held(wanted)
        await read_on.wait()
        return found

    one.api_keys.find = find_slowly  # type: ignore[method-assign, assignment]
    using = asyncio.create_task(one.recognises(key))
    await groups_are_read.wait()
    await one.owned.delete(ada.id, api_key.id)
    read_on.set()
    assert not await using
    assert not await one.recognises(key)


async def test_use_and_deletion_at_once_leave_no_use_after_it(one: Process, ada: Account) -> None:
    """K3."""
    for _ in range(10):
        api_key, key = await one.owned.create(ada.id, REPORT)
        await asyncio.gather(
            *(one.recognises(key) for _ in range(5)),
            one.owned.delete(ada.id, api_key.id),
            *(one.recognises(key) for _ in range(5)),
        )
        assert not await one.recognises(key)


async def test_disabled_owner_is_the_end_of_the_key(one: Process, ada: Account) -> None:
    """K3."""
    _, key = await one.owned.create(ada.id, REPORT)
    assert await one.recognises(key)
    await disable(one.revocation, ada)
    assert not await one.recognises(key)
    await enable(one.revocation, ada)
    assert await one.recognises(key)


async def test_owner_who_has_to_change_a_password_is_said_with_the_key(one: Process) -> None:
    await add_organization(one.database)
    eve = await add_account(one.database, "eve@example.com", must_change_password=True)
    _, key = await one.owned.create(eve.id, REPORT)
    assert (await one.recognition.by_api_key(key)).must_change_password


async def test_key_carries_the_groups_of_its_owner_as_they_are_now(one: Process, ada: Account) -> None:
    """K3."""
    groups = Groups(one.database, revocation=one.revocation)
    _, key = await one.owned.create(ada.id, REPORT)
    assert (await one.recognition.by_api_key(key)).groups == ()
    made = {name: (await groups.add(name)).group for name in ("ops", "admins")}
    for group in made.values():
        await groups.add_member(group.id, ada.id)
    assert (await one.recognition.by_api_key(key)).groups == ("admins", "ops")
    await groups.remove(made["ops"].id)
    assert (await one.recognition.by_api_key(key)).groups == ("admins",)


async def test_account_sees_its_own_keys_only_newest_first(
    one: Process, ada: Account, travel: time_machine.Traveller
) -> None:
    """K3."""
    eve = await add_account(one.database, "eve@example.com")
    made: list[ApiKey] = []
    for _ in range(3):
        made.insert(0, (await one.owned.create(ada.id, REPORT))[0])
        travel.shift(INSTANT)
    foreign, _ = await one.owned.create(eve.id, REPORT)
    assert await one.owned.list(ada.id) == made
    assert await one.owned.find(ada.id, made[0].id) == made[0]
    for attempt in (
        one.owned.find(ada.id, foreign.id),
        one.owned.delete(ada.id, foreign.id),
        one.owned.rotate(ada.id, foreign.id, overlap=DAY),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert await one.owned.list(eve.id) == [foreign]
    assert await one.log() == ()


async def test_rotated_key_has_a_successor_for_the_same_purpose_and_dies_after_the_overlap(
    one: Process, other: Process, ada: Account, travel: time_machine.Traveller
) -> None:
    grant = Grant("report", scopes=(Scope(path="/api/**"),), expires_at=START + 30 * DAY)
    old, old_key = await one.owned.create(ada.id, grant)
    assert await other.recognises(old_key)
    travel.shift(10 * DAY)
    new, new_key = await one.owned.rotate(ada.id, old.id, overlap=DAY)
    for subject in await one.log():
        other.facts.apply(subject)
    assert (new.name, new.scopes, new.expires_at) == ("report", grant.scopes, START + 40 * DAY)
    assert [await other.recognises(key) for key in (old_key, new_key)] == [True, True]
    travel.shift(DAY)
    assert [await other.recognises(key) for key in (old_key, new_key)] == [False, True]


async def test_without_an_overlap_the_old_key_is_dead_at_once(one: Process, ada: Account) -> None:
    old, key = await one.owned.create(ada.id, REPORT)
    assert await one.recognises(key)
    await one.owned.rotate(ada.id, old.id, overlap=timedelta(0))
    assert not await one.recognises(key)


async def test_overlap_never_prolongs_a_life(one: Process, ada: Account) -> None:
    """K3."""
    old, _ = await one.owned.create(ada.id, Grant("report", expires_at=START + timedelta(hours=1)))
    await one.owned.rotate(ada.id, old.id, overlap=7 * DAY)
    assert (await one.owned.find(ada.id, old.id)).expires_at == START + timedelta(hours=1)


@pytest.mark.both_databases
async def test_rotations_at_once_make_one_successor(one: Process, other: Process, ada: Account) -> None:
    """N1."""
    old, _ = await one.owned.create(ada.id, REPORT)
    outcomes = await asyncio.gather(
        *(process.owned.rotate(ada.id, old.id, overlap=DAY) for process in (one, other) * 5), return_exceptions=True
    )
    successors = [outcome for outcome in outcomes if isinstance(outcome, tuple)]
    assert len(successors) == 1
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 9
    assert len(await one.owned.list(ada.id)) == 2
    assert await one.log() == (api_key_subject(old.id),)


@pytest.mark.both_databases
async def test_rotation_and_deletion_at_once_are_one_after_the_other(one: Process, ada: Account) -> None:
    """N1."""
    old, key = await one.owned.create(ada.id, REPORT)
    await asyncio.gather(
        one.owned.rotate(ada.id, old.id, overlap=DAY), one.owned.delete(ada.id, old.id), return_exceptions=True
    )
    assert old.id not in [api_key.id for api_key in await one.owned.list(ada.id)]
    assert not await one.recognises(key)


async def test_rotation_that_cannot_be_stored_changes_nothing(
    one: Process, ada: Account, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, key = await one.owned.create(ada.id, REPORT)

    async def fail(*_: object, **__: object) -> None:
        disk.broken = True
        raise Unavailable

    monkeypatch.setattr("gateway.revocation.transaction.append_invalidation", fail)
    with pytest.raises(Unavailable):
        await one.owned.rotate(ada.id, old.id, overlap=timedelta(0))
    disk.broken = False
    assert await one.owned.list(ada.id) == [old]
    assert await one.recognises(key)


async def test_last_use_is_known_here_at_once_and_elsewhere_after_the_batch(
    one: Process, other: Process, ada: Account, travel: time_machine.Traveller
) -> None:
    """K3."""
    api_key, key = await one.owned.create(ada.id, REPORT)
    assert one.owned.last_used_at(api_key) is None
    travel.shift(DAY)
    assert await one.recognises(key)
    assert one.owned.last_used_at(api_key) == START + DAY
    assert (await other.owned.find(ada.id, api_key.id)).last_used_at is None
    await one.api_keys.last_use.write()
    stored = await other.owned.find(ada.id, api_key.id)
    assert stored.last_used_at == START + DAY
    assert other.owned.last_used_at(stored) == START + DAY


async def test_later_use_elsewhere_is_not_overwritten(
    one: Process, other: Process, ada: Account, travel: time_machine.Traveller
) -> None:
    api_key, key = await one.owned.create(ada.id, REPORT)
    assert await one.recognises(key)
    travel.shift(DAY)
    assert await other.recognises(key)
    await other.api_keys.last_use.write()
    await one.api_keys.last_use.write()
    assert (await one.owned.find(ada.id, api_key.id)).last_used_at == START + DAY


async def test_refused_use_is_none(one: Process, ada: Account, travel: time_machine.Traveller) -> None:
    api_key, key = await one.owned.create(ada.id, Grant("report", expires_at=START + DAY))
    travel.shift(DAY)
    assert not await one.recognises(key)
    assert one.owned.last_used_at(api_key) is None


def _contents(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.glob("gateway.db*")]
