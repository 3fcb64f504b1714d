"""The last two administrators, who go in parallel: one stays, whatever is done to them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice, product

import pytest

from gateway.config.database_url import DatabaseAddress
from gateway.credentials.passwords import PasswordHashing
from gateway.errors import Conflict
from gateway.models import Account, OrganizationRole
from gateway.organization.members.members import MemberChange
from gateway.storage.accounts import list_accounts
from gateway.storage.database import Database
from tests.support.database import add_account, add_organization
from tests.support.members import Office, make_office

ADMIN = OrganizationRole.ADMIN
_ROUNDS = 100

Deed = Callable[[Office, Account], Awaitable[object]]

DEEDS: dict[str, Deed] = {
    "demoted": lambda office, who: office.members.change(None, who.id, MemberChange(role=OrganizationRole.USER)),
    "disabled": lambda office, who: office.members.change(None, who.id, MemberChange(disabled=True)),
    "removed": lambda office, who: office.members.remove(None, who.id),
    "banned": lambda office, who: office.revocation.ban(who, until=datetime.now(UTC) + timedelta(days=1), reason=""),
}


@pytest.fixture
async def offices(database: Database, database_address: DatabaseAddress) -> AsyncIterator[tuple[Office, Office]]:
    """Two processes' worth of parts over one store."""
    await add_organization(database)
    passwords = PasswordHashing(threads=1)
    other = Database.open(database_address)
    yield make_office(database, passwords), make_office(other, passwords)
    await other.close()
    passwords.close()


async def active_admins(database: Database) -> list[Account]:
    async with database.read() as connection:
        accounts = await list_accounts(connection)
    return [account for account in accounts if account.role is ADMIN and account.active(datetime.now(UTC))]


@pytest.mark.both_databases
async def test_of_the_last_two_administrators_one_stays_in_every_one_of_a_hundred_rounds(
    offices: tuple[Office, Office],
) -> None:
    """N1."""
    here, there = offices
    last = await add_account(here.database, "admin-0@example.com", role=ADMIN)
    for number, (first, second) in enumerate(islice(cycle(product(DEEDS, DEEDS)), _ROUNDS), start=1):
        other = await add_account(here.database, f"admin-{number}@example.com", role=ADMIN)
        outcomes = await asyncio.gather(DEEDS[first](here, last), DEEDS[second](there, other), return_exceptions=True)
        left = await active_admins(here.database)
        assert len(left) == 1, (first, second)
        assert [type(outcome) for outcome in outcomes].count(Conflict) == 1, (first, second, outcomes)
        last = left[0]


@pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS)
async def test_administrator_whose_address_was_never_verified_does_not_count(
    offices: tuple[Office, Office], deed: Deed
) -> None:
    """Whoever registered and was promoted before they came cannot log in, and may never."""
    here, _ = offices
    last = await add_account(here.database, "admin@example.com", role=ADMIN)
    newcomer = await add_account(here.database, "newcomer@example.com", role=ADMIN, email_verified=False)
    with pytest.raises(Conflict):
        await deed(here, last)
    await deed(here, newcomer)
