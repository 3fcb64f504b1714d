"""How long is a session remembered, and by whom is it known."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from gateway.credentials.access_tokens import AccessTokens
from gateway.errors import TokenExpired, Unavailable
from gateway.facts.cache import FactsCache
from gateway.facts.facts import EVERYTHING
from gateway.models import Account, Session
from gateway.sessions import SessionLifetimes, Sessions, Visitor
from gateway.storage.database import Database
from tests.support.database import Disk, add_account, add_organization
from tests.support.parts import make_revocation
from tests.support.recognition import make_recognition

START = datetime(2026, 1, 1, tzinfo=UTC)
IDLE, LIFETIME, REMEMBERED = timedelta(hours=12), timedelta(days=7), timedelta(days=30)
INSTANT = timedelta(microseconds=1)
TOKENS = AccessTokens(key=b"k" * 32, issuer="https://auth.test", lifetime=timedelta(minutes=15))


class Process:
    """One gateway process: sessions and facts of its own over the common store."""

    def __init__(self, database: Database) -> None:
        self.database = database
        lifetimes = SessionLifetimes(IDLE, LIFETIME, REMEMBERED)
        self.sessions = Sessions(database, token_key=b"key", lifetimes=lifetimes)
        # Facts are kept for long, so that their expiry is what ends them here.
        self.facts = FactsCache(database, max_entries=10, max_age=timedelta(days=365), outage_grace=timedelta(0))
        self.recognition = make_recognition(database, facts=self.facts, sessions=self.sessions, access_tokens=TOKENS)

    async def open(
        self, account: Account, *, remember_me: bool = False, user_agent: str | None = "agent"
    ) -> tuple[Session, str]:
        async with self.database.write() as connection:
            return await self.sessions.open(
                connection,
                account,
                visitor=Visitor("192.0.2.1", user_agent),
                remember_me=remember_me,
                with_second_factor=False,
                now=datetime.now(UTC),
            )

    async def recognises(self, token: str) -> bool:
        return await self.recognition.by_session_token(token) is not None


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


async def test_open_session_is_found_by_its_token_only(one: Process, ada: Account) -> None:
    session, token = await one.open(ada)
    known = await one.sessions.find_by_token(token)
    assert known is not None
    assert (known.session, known.account) == (session, ada)
    assert known.standing.organization.display_name == "Default"
    for wrong in ("", token[:-1], token + "x", token.swapcase(), session.id):
        assert await one.sessions.find_by_token(wrong) is None


async def test_each_login_has_a_session_and_a_token_of_its_own(one: Process, ada: Account) -> None:
    """S2."""
    opened = [await one.open(ada) for _ in range(3)]
    assert len({session.id for session, _ in opened}) == len({token for _, token in opened}) == 3


async def test_nothing_that_is_stored_could_be_presented(one: Process, ada: Account) -> None:
    """S1."""
    _, token = await one.open(ada)
    async with one.database.read() as connection:
        row = (await connection.exec_driver_sql("SELECT * FROM sessions")).one()
    assert token not in str(row)
    assert len(row.token_digest) == 32


async def test_changed_secret_finds_no_session(one: Process, ada: Account) -> None:
    _, token = await one.open(ada)
    changed = Sessions(one.database, token_key=b"new", lifetimes=SessionLifetimes(IDLE, LIFETIME, REMEMBERED))
    assert await changed.find_by_token(token) is None


async def test_unused_session_ends_after_the_idle_timeout(
    one: Process, ada: Account, travel: time_machine.Traveller
) -> None:
    """S4."""
    _, token = await one.open(ada)
    travel.shift(IDLE - INSTANT)
    assert await one.sessions.find_by_token(token)
    travel.shift(INSTANT)
    assert await one.sessions.find_by_token(token) is None


async def test_use_postpones_the_idle_expiry_and_never_the_absolute_one(
    one: Process, ada: Account, travel: time_machine.Traveller
) -> None:
    """S4."""
    _, token = await one.open(ada)
    for hours in range(0, int(LIFETIME.total_seconds() // 3600), 11):
        travel.move_to(START + timedelta(hours=hours), tick=False)
        assert await one.recognises(token), hours
    travel.move_to(START + LIFETIME - INSTANT, tick=False)
    assert await one.recognises(token)
    travel.move_to(START + LIFETIME, tick=False)
    assert not await one.recognises(token)


async def test_remembered_session_lasts_thirty_days_without_use(
    one: Process, ada: Account, travel: time_machine.Traveller
) -> None:
    _, token = await one.open(ada, remember_me=True)
    travel.shift(REMEMBERED - INSTANT)
    assert await one.sessions.find_by_token(token)
    travel.shift(INSTANT)
    assert await one.sessions.find_by_token(token) is None


async def test_use_is_written_in_batches_and_survives_a_restart(
    one: Process, other: Process, ada: Account, travel: time_machine.Traveller
) -> None:
    _, token = await one.open(ada)
    travel.shift(IDLE / 2)
    assert await one.recognises(token)
    await one.sessions.last_use.write()
    travel.shift(IDLE - INSTANT)
    assert await other.recognises(token)


async def test_use_in_another_process_is_found_before_a_cached_expiry_refuses(
    one: Process, other: Process, ada: Account, travel: time_machine.Traveller
) -> None:
    """Only a refusal is ever read again."""
    _, token = await one.open(ada)
    assert await one.recognises(token)
    travel.shift(IDLE / 2)
    assert await other.recognises(token)
    await other.sessions.last_use.write()
    travel.shift(IDLE / 2)
    assert await one.recognises(token)


async def test_use_that_waits_to_be_written_counts_when_a_session_is_read_again(
    one: Process, ada: Account, travel: time_machine.Traveller
) -> None:
    _, token = await one.open(ada)
    travel.shift(IDLE / 2)
    assert await one.recognises(token)
    one.facts.apply(EVERYTHING)
    travel.shift(IDLE / 2)
    assert await one.recognises(token)


async def test_expiry_is_read_once_more_and_then_refuses(
    one: Process, ada: Account, travel: time_machine.Traveller, disk: Disk
) -> None:
    _, token = await one.open(ada)
    assert await one.recognises(token)
    travel.shift(IDLE)
    disk.statements.clear()
    assert not await one.recognises(token)
    assert sum("FROM sessions" in statement for statement in disk.statements) == 1


async def test_good_facts_are_not_read_again(one: Process, ada: Account, disk: Disk) -> None:
    _, token = await one.open(ada)
    assert await one.recognises(token)
    disk.statements.clear()
    assert await one.recognises(token)
    assert disk.statements == []


async def test_access_token_ends_by_itself_and_with_its_session(
    one: Process, ada: Account, travel: time_machine.Traveller
) -> None:
    """S3, J4."""
    session, _ = await one.open(ada)
    token = TOKENS.sign(subject=ada.id, session_id=session.id, now=START, profile={})
    assert (await one.recognition.by_access_token(token)).session_id == session.id
    travel.shift(TOKENS.lifetime - timedelta(seconds=1))
    await one.recognition.by_access_token(token)
    travel.shift(timedelta(seconds=1))
    with pytest.raises(TokenExpired):
        await one.recognition.by_access_token(token)


@pytest.mark.parametrize(
    ("steps", "ends_at"),
    [
        ([IDLE - INSTANT, IDLE - INSTANT, IDLE], 2),
        ([LIFETIME / 20] * 20, 19),
        # A clock that was set back: the use then is the last one.
        ([-IDLE / 2, IDLE], 1),
    ],
)
async def test_memory_knows_when_a_session_ends(
    one: Process, ada: Account, travel: time_machine.Traveller, steps: list[timedelta], ends_at: int
) -> None:
    """The fast lane asks nobody else."""
    _, token = await one.open(ada)
    assert await one.recognises(token)
    at_once = one.recognition.at_once
    for number, step in enumerate(steps):
        travel.shift(step)
        await one.facts.tail.catch_up()
        known = at_once.recall(at_once.fingerprints.session(token.encode()))
        assert (known is None) == (number == ends_at)


async def test_use_of_an_access_token_is_use_of_its_session(
    one: Process, ada: Account, travel: time_machine.Traveller
) -> None:
    session, cookie = await one.open(ada)
    travel.shift(IDLE / 2)
    token = TOKENS.sign(subject=ada.id, session_id=session.id, now=datetime.now(UTC), profile={})
    await one.recognition.by_access_token(token)
    await one.sessions.last_use.write()
    travel.shift(IDLE - INSTANT)
    assert await one.recognises(cookie)


async def test_ended_session_is_not_brought_back_by_a_late_touch(one: Process, ada: Account) -> None:
    """S3."""
    session, token = await one.open(ada)
    assert await one.recognises(token)
    await make_revocation(one.database, one.facts.apply).end_session(session.id)
    await one.sessions.last_use.write()
    assert not await one.recognises(token)
    assert await one.sessions.find(session.id) is None


async def test_touches_of_an_outage_are_written_after_it(
    one: Process, ada: Account, travel: time_machine.Traveller, disk: Disk
) -> None:
    session, token = await one.open(ada)
    travel.shift(timedelta(hours=1))
    assert await one.recognises(token)
    disk.broken = True
    with pytest.raises(Unavailable):
        await one.sessions.last_use.write()
    disk.broken = False
    await one.sessions.last_use.write()
    known = await one.sessions.find(session.id)
    assert known is not None
    assert known.session.last_seen_at == START + timedelta(hours=1)


async def test_renewed_token_replaces_the_old_one_at_once(one: Process, ada: Account) -> None:
    """S2."""
    session, old = await one.open(ada)
    async with one.database.write() as connection:
        new = await one.sessions.renew_token(connection, session.id)
    assert await one.sessions.find_by_token(old) is None
    known = await one.sessions.find_by_token(new)
    assert known is not None
    assert known.session.id == session.id


@pytest.mark.parametrize("agent", [None, "", "x" * 10_000, "caf\u00e9 \U0001f600", "caf\udce9 \udcff"])
async def test_browser_of_any_name_can_log_in(one: Process, ada: Account, agent: str | None) -> None:
    """A header may hold bytes that are no text; the store takes text only."""
    _, token = await one.open(ada, user_agent=agent)
    assert await one.recognises(token)
