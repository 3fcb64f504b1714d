"""What no longer counts: the change and its log entry are one, and the doorbell rings after both."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.account.password_change import PasswordChange
from gateway.credentials.password_rules import PasswordRules
from gateway.errors import Conflict, GatewayError, Unavailable
from gateway.facts.facts import account_subject, session_subject
from gateway.models import Account, CredentialKind, OrganizationRole, Principal, Standing
from gateway.refresh_tokens import RefreshTokens
from gateway.sessions import SessionLifetimes, Sessions, Visitor
from gateway.storage.accounts import count_active_admins, find_account
from gateway.storage.database import Database
from tests.support.database import Disk, add_account, add_organization, invalidated
from tests.support.parts import RULES, disable, enable, hand_over_password, make_proof, make_revocation
from tests.support.visitors import ORGANIZATION

DAY = timedelta(days=1)
ADMIN = OrganizationRole.ADMIN


class House:
    """A store with people in it, and what the doorbell said."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.rang: list[str] = []
        self.revocation = make_revocation(database, self.rang.append)
        self.sessions = Sessions(database, token_key=b"key", lifetimes=SessionLifetimes(DAY, DAY, DAY))

    async def log_in(self, account: Account) -> tuple[str, str]:
        """Give the id and the token of a new session."""
        async with self.database.write() as connection:
            session, token = await self.sessions.open(
                connection,
                account,
                visitor=Visitor(None, None),
                remember_me=False,
                with_second_factor=False,
                now=datetime.now(UTC),
            )
        return session.id, token

    async def log(self) -> tuple[str, ...]:
        return await invalidated(self.database)

    async def account(self, account: Account) -> Account:
        async with self.database.read() as connection:
            found = await find_account(connection, account.id)
        assert found is not None
        return found

    async def alive(self, *tokens: str) -> list[bool]:
        return [await self.sessions.find_by_token(token) is not None for token in tokens]


@pytest.fixture
async def house(database: Database) -> House:
    await add_organization(database)
    return House(database)


async def test_ended_session_is_gone_logged_and_rung(house: House) -> None:
    """S3."""
    ada = await add_account(house.database)
    (first, token), (_, second_token) = await house.log_in(ada), await house.log_in(ada)
    await house.revocation.end_session(first)
    assert await house.alive(token, second_token) == [False, True]
    assert await house.log() == (session_subject(first),)
    assert house.rang == [session_subject(first)]


@pytest.mark.both_databases
async def test_ending_a_session_twice_is_one_ending(house: House) -> None:
    ada = await add_account(house.database)
    session_id, _ = await house.log_in(ada)
    await asyncio.gather(*(house.revocation.end_session(session_id) for _ in range(10)))
    assert await house.log() == (session_subject(session_id),)
    assert house.rang == [session_subject(session_id)]


async def test_disabled_account_has_no_session_any_more(house: House) -> None:
    """S3."""
    ada, eve = await add_account(house.database), await add_account(house.database, "eve@example.com")
    tokens = [(await house.log_in(account))[1] for account in (ada, ada, eve)]
    await disable(house.revocation, ada)
    assert (await house.account(ada)).disabled
    assert await house.alive(*tokens) == [False, False, True]
    assert await house.log() == (account_subject(ada.id),)
    assert house.rang == [account_subject(ada.id)]


async def test_enabled_account_may_log_in_again_and_its_old_sessions_stay_dead(house: House) -> None:
    ada = await add_account(house.database)
    _, token = await house.log_in(ada)
    await disable(house.revocation, ada)
    await enable(house.revocation, ada)
    assert not (await house.account(ada)).disabled
    assert await house.alive(token) == [False]


async def test_session_opened_after_disabling_does_not_count(house: House) -> None:
    """A login that was in flight when its account was disabled."""
    ada = await add_account(house.database)
    await disable(house.revocation, ada)
    _, token = await house.log_in(ada)
    assert await house.alive(token) == [False]


async def test_last_active_administrator_cannot_be_disabled(house: House) -> None:
    root = await add_account(house.database, "root@example.com", role=ADMIN)
    await add_account(house.database)
    _, token = await house.log_in(root)
    with pytest.raises(Conflict, match=r"root@example\.com"):
        await disable(house.revocation, root)
    assert not (await house.account(root)).disabled
    assert await house.alive(token) == [True]
    assert (await house.log(), house.rang) == ((), [])


async def test_disabled_administrator_does_not_count_as_another_one(house: House) -> None:
    first = await add_account(house.database, "a@example.com", role=ADMIN)
    second = await add_account(house.database, "b@example.com", role=ADMIN)
    await disable(house.revocation, first)
    await disable(house.revocation, first)
    with pytest.raises(Conflict):
        await disable(house.revocation, second)


@pytest.mark.both_databases
async def test_two_administrators_who_disable_each_other_leave_one(house: House) -> None:
    """N1."""
    both = [await add_account(house.database, f"{name}@example.com", role=ADMIN) for name in "ab"]
    outcomes = await asyncio.gather(*(disable(house.revocation, one) for one in both * 5), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {type(None), Conflict}
    async with house.database.read() as connection:
        assert await count_active_admins(connection) == 1


async def test_handed_over_password_ends_every_session(house: House) -> None:
    """S5."""
    ada, eve = await add_account(house.database), await add_account(house.database, "eve@example.com")
    tokens = [(await house.log_in(account))[1] for account in (ada, ada, eve)]
    await hand_over_password(house.revocation, ada, password_hash="new hash", must_change=True)
    changed = await house.account(ada)
    assert (changed.password_hash, changed.must_change_password) == ("new hash", True)
    assert await house.alive(*tokens) == [False, False, True]
    assert await house.log() == (account_subject(ada.id),)
    assert house.rang == [account_subject(ada.id)]


@pytest.mark.parametrize(
    "revoke",
    [
        lambda house, _ada, session_id: house.revocation.end_session(session_id),
        lambda house, ada, _session_id: disable(house.revocation, ada),
        lambda house, ada, _session_id: hand_over_password(house.revocation, ada, password_hash="h", must_change=True),
    ],
    ids=["end_session", "disable", "hand_over_password"],
)
async def test_revocation_that_cannot_be_stored_changes_nothing_and_does_not_ring(
    house: House, disk: Disk, revoke: Callable[[House, Account, str], Awaitable[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The entry is appended in the transaction that it announces."""
    ada = await add_account(house.database)
    session_id, token = await house.log_in(ada)

    async def fail(*_: object, **__: object) -> None:
        disk.broken = True
        async with house.database.translate_failures():
            raise Unavailable

    monkeypatch.setattr("gateway.revocation.transaction.append_invalidation", fail)
    with pytest.raises(Unavailable):
        await revoke(house, ada, session_id)
    disk.broken = False
    assert await house.account(ada) == ada
    assert await house.alive(token) == [True]
    assert (await house.log(), house.rang) == ((), [])


async def test_doorbell_rings_after_the_commit(house: House, tmp_path: Path) -> None:
    """Rung before, a load could still read what is about to go."""
    ada = await add_account(house.database)
    await house.log_in(ada)
    sessions_left: list[int] = []

    def look(_subject: str) -> None:
        with closing(sqlite3.connect(tmp_path / "gateway.db")) as other_process:
            sessions_left.extend(other_process.execute("SELECT count(*) FROM sessions").fetchone())

    await disable(make_revocation(house.database, look), ada)
    assert sessions_left == [0]


async def test_new_password_keeps_this_session_and_ends_the_others(house: House) -> None:
    """S2, S5."""
    ada = await add_account(house.database, password_hash="old hash", must_change_password=True)
    (mine, old), (_, others) = await house.log_in(ada), await house.log_in(ada)
    changing = house.revocation.changing_password(ada, password_hash="own hash", keep_session=mine)
    async with changing as transaction:
        new = await house.sessions.renew_token(transaction.connection, mine)
    assert await house.alive(old, others, new) == [False, False, True]
    changed = await house.account(ada)
    assert (changed.password_hash, changed.must_change_password) == ("own hash", False)
    assert house.rang == [account_subject(ada.id)]


async def test_password_change_that_fails_half_way_changes_nothing(house: House) -> None:
    ada = await add_account(house.database, password_hash="old hash")
    (mine, old), (_, others) = await house.log_in(ada), await house.log_in(ada)
    changing = house.revocation.changing_password(ada, password_hash="own hash", keep_session=mine)
    with pytest.raises(ZeroDivisionError):
        async with changing:
            raise ZeroDivisionError
    assert await house.account(ada) == ada
    assert await house.alive(old, others) == [True, True]
    assert (await house.log(), house.rang) == ((), [])


class _SlowPasswords:
    """Takes the place of the hash, and waits where the real one takes its time."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.go_on = asyncio.Event()

    async def verify(self, password: str, *, expected: str | None) -> bool:
        return password == expected

    async def broken_rule(self, rules: PasswordRules, password: str, *, email: str) -> str | None:
        return rules.broken(password, email=email)

    def outdated(self, _stored: str) -> bool:
        return False

    async def hash(self, password: str) -> str:
        self.reached.set()
        await self.go_on.wait()
        return f"hash of {password}"


@pytest.mark.both_databases
@pytest.mark.parametrize("overtaken_by", ["reset", "disable"])
async def test_password_change_that_was_overtaken_by_a_revocation_changes_nothing(
    house: House, overtaken_by: str
) -> None:
    """N1: whoever knew the old password must not set a new one after an administrator has stepped in."""
    ada = await add_account(house.database, password_hash="old password")
    session_id, _ = await house.log_in(ada)
    passwords = _SlowPasswords()
    change = PasswordChange(
        proof=make_proof(house.database, passwords),  # type: ignore[arg-type]
        rules=RULES,
        passwords=passwords,  # type: ignore[arg-type]
        sessions=house.sessions,
        refresh_tokens=RefreshTokens(key=b"refresh key", lifetime=DAY),
        revocation=house.revocation,
    )
    changing = asyncio.create_task(
        change.change(
            _principal(ada, session_id), current="old password", new="new password", visitor=Visitor(None, None)
        )
    )
    await asyncio.wait([changing, asyncio.create_task(passwords.reached.wait())], return_when=asyncio.FIRST_COMPLETED)
    assert not changing.done(), changing.exception()
    if overtaken_by == "reset":
        await hand_over_password(house.revocation, ada, password_hash="handed over", must_change=True)
    else:
        await disable(house.revocation, ada)
    before = await house.account(ada)
    passwords.go_on.set()
    with pytest.raises(GatewayError):
        await changing
    assert await house.account(ada) == before


def _principal(account: Account, session_id: str) -> Principal:
    return Principal(
        account_id=account.id,
        email=account.email,
        username=None,
        name=account.name,
        role=account.role,
        standing=Standing(ORGANIZATION, memberships=()),
        workspace=None,
        credential=CredentialKind.JWT,
        session_id=session_id,
        level=1,
        must_change_password=False,
    )
