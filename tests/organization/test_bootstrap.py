"""The first start, however often and however many at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from gateway.config.database_url import DatabaseAddress
from gateway.credentials.passwords import PasswordHashing
from gateway.errors import Conflict, InvalidFields, SetupLinkDead
from gateway.models import Account, OrganizationRole
from gateway.organization.bootstrap import Bootstrap, FirstAdministrator
from gateway.revocation import ring_nobody
from gateway.storage.accounts import list_accounts
from gateway.storage.database import Database
from tests.support.database import add_account
from tests.support.parts import disable, hand_over_password, make_revocation

START = datetime(2026, 1, 1, tzinfo=UTC)
PASSWORD = "Correct-horse-7"
ADMINISTRATOR = FirstAdministrator("root@example.com", "Administrator", PASSWORD)
INSTANT = timedelta(microseconds=1)


@pytest.fixture
async def passwords() -> AsyncIterator[PasswordHashing]:
    passwords = PasswordHashing(threads=2)
    yield passwords
    passwords.close()


@pytest.fixture
def bootstrap(database: Database, passwords: PasswordHashing) -> Bootstrap:
    return Bootstrap(database, passwords=passwords, token_key=b"key")


@pytest.fixture
def travel() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


async def _accounts(database: Database) -> list[Account]:
    async with database.read() as connection:
        return await list_accounts(connection)


async def _names(database: Database, table: str) -> list[str]:
    async with database.read() as connection:
        return list((await connection.exec_driver_sql(f"SELECT display_name FROM {table}")).scalars())  # noqa: S608


def _named(number: int) -> FirstAdministrator:
    return FirstAdministrator(f"admin{number}@example.com", f"Admin {number}", PASSWORD)


@pytest.mark.both_databases
async def test_organization_is_made_once_by_many_starts(
    database: Database, passwords: PasswordHashing, database_address: DatabaseAddress
) -> None:
    """N1: each start connects for itself, as processes do."""
    others = [Database.open(database_address) for _ in range(3)]
    starts = [Bootstrap(where, passwords=passwords, token_key=b"key") for where in (database, *others)]
    try:
        await asyncio.gather(*(start.create_organization() for start in starts * 3))
    finally:
        for other in others:
            await other.close()
    assert await _names(database, "organizations") == ["Default"]
    assert await _names(database, "workspaces") == ["Default"]


@pytest.mark.both_databases
async def test_configured_administrator_is_made_once_by_many_starts(database: Database, bootstrap: Bootstrap) -> None:
    """N1."""
    outcomes = await asyncio.gather(*(bootstrap.create_administrator(ADMINISTRATOR) for _ in range(5)))
    assert outcomes.count(True) == 1
    [account] = await _accounts(database)
    assert (account.email, account.role) == ("root@example.com", OrganizationRole.ADMIN)
    assert not account.must_change_password, "the password is the operator's own"


async def test_configured_password_is_the_one_that_opens(
    database: Database, bootstrap: Bootstrap, passwords: PasswordHashing
) -> None:
    await bootstrap.create_administrator(ADMINISTRATOR)
    [account] = await _accounts(database)
    assert PASSWORD not in str(account)
    assert await passwords.verify(PASSWORD, expected=account.password_hash)


async def test_changed_password_is_never_set_back(database: Database, bootstrap: Bootstrap) -> None:
    await bootstrap.create_administrator(ADMINISTRATOR)
    [account] = await _accounts(database)
    revocation = make_revocation(database, ring_nobody)
    await hand_over_password(revocation, account, password_hash="own", must_change=False)
    [changed] = await _accounts(database)
    for again in (ADMINISTRATOR, FirstAdministrator("root@example.com", "New name", "Another-password-8")):
        assert not await bootstrap.create_administrator(again)
    assert await _accounts(database) == [changed]


async def test_existing_member_is_neither_promoted_nor_enabled(database: Database, bootstrap: Bootstrap) -> None:
    member = await add_account(database, ADMINISTRATOR.email)
    await disable(make_revocation(database, ring_nobody), member)
    [before] = await _accounts(database)
    assert not await bootstrap.create_administrator(ADMINISTRATOR)
    assert await _accounts(database) == [before]


async def test_set_up_is_needed_while_nobody_can_administer(database: Database, bootstrap: Bootstrap) -> None:
    """L9."""
    assert await bootstrap.setup_needed()
    await add_account(database)
    assert await bootstrap.setup_needed(), "a member is no administrator"
    await bootstrap.create_administrator(ADMINISTRATOR)
    assert not await bootstrap.setup_needed()


async def test_link_makes_an_administrator_with_the_password_that_was_typed(
    database: Database, bootstrap: Bootstrap, passwords: PasswordHashing
) -> None:
    """L9."""
    account = await bootstrap.set_up(await bootstrap.make_setup_token(), ADMINISTRATOR)
    assert await _accounts(database) == [account]
    assert account.role is OrganizationRole.ADMIN
    assert await passwords.verify(PASSWORD, expected=account.password_hash)


@pytest.mark.both_databases
async def test_of_twenty_who_spend_one_link_at_once_one_becomes_administrator(
    database: Database, bootstrap: Bootstrap
) -> None:
    """N1, L9."""
    token = await bootstrap.make_setup_token()
    outcomes = await asyncio.gather(
        *(bootstrap.set_up(token, _named(number)) for number in range(20)), return_exceptions=True
    )
    winners = [outcome for outcome in outcomes if isinstance(outcome, Account)]
    assert len(winners) == 1
    assert {type(outcome) for outcome in outcomes if outcome not in winners} == {SetupLinkDead}
    assert await _accounts(database) == winners


async def test_link_works_for_half_an_hour(bootstrap: Bootstrap, travel: time_machine.Traveller) -> None:
    """L9."""
    token = await bootstrap.make_setup_token()
    travel.shift(timedelta(minutes=30) - INSTANT)
    assert await bootstrap.setup_token_is_good(token)
    travel.shift(INSTANT)
    assert not await bootstrap.setup_token_is_good(token)
    with pytest.raises(SetupLinkDead):
        await bootstrap.set_up(token, ADMINISTRATOR)


async def test_link_that_ends_while_the_password_is_hashed_is_refused(
    database: Database, bootstrap: Bootstrap, travel: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await bootstrap.make_setup_token()

    async def slow(_hashing: PasswordHashing, _password: str) -> str:
        travel.shift(timedelta(minutes=30))
        return "hash"

    monkeypatch.setattr(PasswordHashing, "hash", slow)
    with pytest.raises(SetupLinkDead):
        await bootstrap.set_up(token, ADMINISTRATOR)
    assert await _accounts(database) == []


async def test_newer_link_makes_the_older_one_dead(bootstrap: Bootstrap) -> None:
    older, newer = await bootstrap.make_setup_token(), await bootstrap.make_setup_token()
    assert not await bootstrap.setup_token_is_good(older)
    with pytest.raises(SetupLinkDead):
        await bootstrap.set_up(older, ADMINISTRATOR)
    assert (await bootstrap.set_up(newer, ADMINISTRATOR)).email == ADMINISTRATOR.email


async def test_link_is_dead_once_there_is_an_administrator(database: Database, bootstrap: Bootstrap) -> None:
    """L9: the operator configured one in the meantime."""
    token = await bootstrap.make_setup_token()
    await bootstrap.create_administrator(ADMINISTRATOR)
    with pytest.raises(SetupLinkDead):
        await bootstrap.set_up(token, _named(1))
    assert len(await _accounts(database)) == 1


@pytest.mark.parametrize("token", ["", "guess", "x" * 100_000, "caf\u00e9", "\udcff", "' OR 1=1 --"])
async def test_guessed_link_opens_nothing(bootstrap: Bootstrap, token: str) -> None:
    await bootstrap.make_setup_token()
    assert not await bootstrap.setup_token_is_good(token)
    with pytest.raises(SetupLinkDead):
        await bootstrap.set_up(token, ADMINISTRATOR)


@pytest.mark.parametrize("password", ["", "Short-1", "correct-horse-7", "CORRECT-HORSE-7", "CorrectHorse77"])
async def test_broken_password_rule_is_named_and_spends_nothing(bootstrap: Bootstrap, password: str) -> None:
    token = await bootstrap.make_setup_token()
    with pytest.raises(InvalidFields) as refusal:
        await bootstrap.set_up(token, FirstAdministrator("root@example.com", "Root", password))
    assert refusal.value.fields["password"]
    assert await bootstrap.setup_token_is_good(token)


async def test_address_that_is_taken_spends_nothing(database: Database, bootstrap: Bootstrap) -> None:
    await add_account(database, ADMINISTRATOR.email)
    token = await bootstrap.make_setup_token()
    with pytest.raises(Conflict):
        await bootstrap.set_up(token, ADMINISTRATOR)
    assert await bootstrap.setup_token_is_good(token)
    assert (await bootstrap.set_up(token, _named(1))).email == _named(1).email


async def test_token_of_the_link_is_not_stored(database: Database, bootstrap: Bootstrap) -> None:
    """R1."""
    token = await bootstrap.make_setup_token()
    async with database.read() as connection:
        row = (await connection.exec_driver_sql("SELECT * FROM one_time_tokens")).one()
    assert token not in str(row)
    assert len(row.token_digest) == 32
