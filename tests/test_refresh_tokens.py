"""Refresh tokens over a real store: derived, rotated once per generation, and telling of their reuse."""

from __future__ import annotations

import asyncio
import base64
import json
from datetime import UTC, datetime, timedelta

import pytest

from gateway.credentials.refresh_tokens import derive_refresh_token, parse_refresh_token, verify_refresh_token
from gateway.errors import RefreshRefused
from gateway.models import RefreshToken, Session
from gateway.refresh_tokens import Redeemed, RefreshTokens, Reused
from gateway.sessions import SessionLifetimes, Sessions, Visitor
from gateway.storage.database import Database
from gateway.storage.sessions import delete_session
from tests.support.database import add_account, add_organization

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
GRACE = timedelta(seconds=20)
SESSION_ID = "0b5f4a4e-9f0e-4f2e-8f39-6a6b51a0a001"


class Family:
    """One session with its refresh tokens, and a clock that the test sets."""

    def __init__(self, database: Database, tokens: RefreshTokens, session: Session, first: RefreshToken) -> None:
        self.database = database
        self.tokens = tokens
        self.session = session
        self.first = first
        self.now = START

    async def redeem(self, token: str) -> Redeemed | Reused:
        async with self.database.write() as connection:
            return await self.tokens.redeem(connection, token, now=self.now)

    async def rotate(self, token: str) -> str:
        outcome = await self.redeem(token)
        assert isinstance(outcome, Redeemed)
        return outcome.token.token

    async def reissue(self) -> RefreshToken | None:
        async with self.database.write() as connection:
            return await self.tokens.reissue(connection, self.session, now=self.now)


async def open_session(database: Database, *, lifetime: timedelta = 30 * DAY) -> Session:
    await add_organization(database)
    account = await add_account(database)
    sessions = Sessions(database, token_key=b"key", lifetimes=SessionLifetimes(DAY, lifetime, lifetime))
    async with database.write() as connection:
        session, _ = await sessions.open(
            connection,
            account,
            visitor=Visitor(None, None),
            remember_me=False,
            with_second_factor=False,
            now=START,
        )
    return session


async def start_family(database: Database, session: Session) -> Family:
    tokens = RefreshTokens(key=b"refresh key", lifetime=7 * DAY)
    async with database.write() as connection:
        return Family(database, tokens, session, await tokens.issue(connection, session, now=START))


@pytest.fixture
async def family(database: Database) -> Family:
    return await start_family(database, await open_session(database))


async def test_good_token_yields_its_successor(family: Family) -> None:
    second = await family.rotate(family.first.token)
    third = await family.rotate(second)
    assert len({family.first.token, second, third}) == 3


async def test_token_just_superseded_yields_the_current_one_and_never_another(family: Family) -> None:
    """J5: also two generations back, and however often it is asked."""
    second = await family.rotate(family.first.token)
    third = await family.rotate(second)
    assert {await family.rotate(token) for token in (family.first.token, second, family.first.token)} == {third}


async def test_grace_ends_after_twenty_seconds(family: Family) -> None:
    """J5."""
    await family.rotate(family.first.token)
    family.now += GRACE - SECOND
    assert isinstance(await family.redeem(family.first.token), Redeemed)
    family.now += SECOND
    assert await family.redeem(family.first.token) == Reused(family.session.id)


async def test_grace_of_a_generation_begins_when_it_was_superseded(family: Family) -> None:
    family.now += 10 * GRACE
    second = await family.rotate(family.first.token)
    family.now += GRACE - SECOND
    third = await family.rotate(second)
    assert await family.rotate(family.first.token) == third
    family.now += SECOND
    assert await family.rotate(second) == third
    assert isinstance(await family.redeem(family.first.token), Reused)


async def test_generation_that_the_store_has_forgotten_is_reused(family: Family) -> None:
    """J5: a store restored from a backup is behind its clients."""
    ahead = family.first.token
    async with family.database.read() as connection:
        before = (await connection.exec_driver_sql("SELECT generation, superseded FROM refresh_families")).one()
    for _ in range(2):
        ahead = await family.rotate(ahead)
    async with family.database.write() as connection:
        await connection.exec_driver_sql("UPDATE refresh_families SET generation = ?, superseded = ?", tuple(before))
    assert isinstance(await family.redeem(ahead), Reused)


async def test_clock_that_was_set_back_logs_nobody_out(family: Family) -> None:
    second = await family.rotate(family.first.token)
    family.now -= timedelta(hours=1)
    assert await family.rotate(family.first.token) == second


@pytest.mark.both_databases
async def test_of_many_at_once_one_rotates(family: Family) -> None:
    """J5, N1."""
    successors = await asyncio.gather(*(family.rotate(family.first.token) for _ in range(20)))
    assert len(set(successors)) == 1
    async with family.database.read() as connection:
        assert (await connection.exec_driver_sql("SELECT generation FROM refresh_families")).scalar_one() == 1


async def test_end_is_absolute_and_rotation_does_not_move_it(family: Family) -> None:
    """J6."""
    token = family.first.token
    for day in range(7):
        family.now = START + day * DAY
        token = await family.rotate(token)
    family.now = START + 7 * DAY - SECOND
    outcome = await family.redeem(token)
    assert isinstance(outcome, Redeemed)
    assert outcome.token.expires_at == START + 7 * DAY
    family.now += SECOND
    with pytest.raises(RefreshRefused):
        await family.redeem(outcome.token.token)


async def test_no_token_outlives_its_session(database: Database) -> None:
    """J6."""
    session = await open_session(database, lifetime=2 * DAY)
    family = await start_family(database, session)
    assert family.first.expires_at == session.expires_at


async def test_tokens_die_with_their_session(family: Family) -> None:
    """J6."""
    async with family.database.write() as connection:
        await delete_session(connection, family.session.id)
    with pytest.raises(RefreshRefused):
        await family.redeem(family.first.token)


async def test_new_family_replaces_the_former_one_whose_tokens_end_nothing(family: Family) -> None:
    """J6: what is left of a former family is refused, and is no reuse."""
    second = await family.rotate(family.first.token)
    anew = await family.reissue()
    assert anew is not None
    for old in (family.first.token, second):
        with pytest.raises(RefreshRefused):
            await family.redeem(old)
    assert isinstance(await family.redeem(anew.token), Redeemed)


async def test_session_without_refresh_tokens_gets_none_by_replacing_them(database: Database) -> None:
    session = await open_session(database)
    tokens = RefreshTokens(key=b"refresh key", lifetime=DAY)
    async with database.write() as connection:
        assert await tokens.reissue(connection, session, now=START) is None


async def test_nothing_that_is_stored_could_be_presented(family: Family) -> None:
    """J6: not even with the nonce, as long as the key is not there."""
    await family.rotate(family.first.token)
    async with family.database.read() as connection:
        row = (await connection.exec_driver_sql("SELECT * FROM refresh_families")).one()
    guess = derive_refresh_token(key=b"", session_id=row.session_id, generation=row.generation, nonce=row.nonce)
    with pytest.raises(RefreshRefused):
        await family.redeem(guess)


async def test_changed_secret_ends_every_token(family: Family) -> None:
    changed = RefreshTokens(key=b"another key", lifetime=DAY)
    async with family.database.write() as connection:
        with pytest.raises(RefreshRefused):
            await changed.redeem(connection, family.first.token, now=START)


async def test_record_of_a_client_that_rotates_without_end_stays_small(family: Family) -> None:
    token = family.first.token
    for _ in range(150):
        token = await family.rotate(token)
    async with family.database.read() as connection:
        superseded = (await connection.exec_driver_sql("SELECT superseded FROM refresh_families")).scalar_one()
    assert len(json.loads(superseded)) == 100
    assert isinstance(await family.redeem(token), Redeemed)


def _changed(token: str, position: int) -> str:
    raw = bytearray(base64.urlsafe_b64decode(token))
    raw[position] ^= 1
    return base64.urlsafe_b64encode(raw).decode()


@pytest.mark.parametrize("position", range(54))
async def test_token_with_any_bit_changed_is_refused_and_is_no_reuse(family: Family, position: int) -> None:
    """A stranger who knows a session's id must not be able to end it."""
    await family.rotate(family.first.token)
    family.now += 2 * GRACE
    with pytest.raises(RefreshRefused):
        await family.redeem(_changed(family.first.token, position))


@pytest.mark.parametrize(
    "spell",
    [
        lambda token: token[:0],
        lambda token: token[:-1],
        lambda token: token + "=",
        lambda token: token + "\n",
        lambda token: " " + token,
        lambda token: token[:-1] + "\u0661",
        lambda token: token[:-1] + "+",
        lambda token: token[:-1] + "\udcff",
        lambda token: token * 900,
    ],
)
def test_each_token_has_one_spelling(spell: object) -> None:
    token = derive_refresh_token(key=b"key", session_id=SESSION_ID, generation=3, nonce=b"n" * 32)
    assert parse_refresh_token(token) is not None
    assert parse_refresh_token(spell(token)) is None  # type: ignore[operator]


def test_token_says_which_one_it_is_and_is_believed_under_its_key_and_nonce_only() -> None:
    token = derive_refresh_token(key=b"key", session_id=SESSION_ID, generation=3, nonce=b"n" * 32)
    presented = parse_refresh_token(token)
    assert presented is not None
    assert (presented.session_id, presented.generation) == (SESSION_ID, 3)
    assert verify_refresh_token(presented, key=b"key", nonce=b"n" * 32)
    assert not verify_refresh_token(presented, key=b"other", nonce=b"n" * 32)
    assert not verify_refresh_token(presented, key=b"key", nonce=b"o" * 32)
    assert token not in repr(presented)


def test_same_generation_has_the_same_token_and_no_other_has_it() -> None:
    derived = [
        derive_refresh_token(key=b"key", session_id=session_id, generation=generation, nonce=b"n" * 32)
        for session_id in (SESSION_ID, SESSION_ID[:-1] + "2")
        for generation in (0, 1, 256, 2**31)
        for _ in range(2)
    ]
    assert len(set(derived)) == 8
