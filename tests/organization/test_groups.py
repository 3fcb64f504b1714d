"""Groups: each change is in the log with the accounts that it concerns."""

from __future__ import annotations

import asyncio

import pytest

from gateway.errors import Conflict, NotFound
from gateway.facts.facts import account_subject
from gateway.models import Account
from gateway.organization.groups.groups import Groups
from gateway.storage.database import Database
from gateway.storage.groups import list_groups_of
from tests.support.database import add_account, invalidated
from tests.support.parts import make_revocation

ADA, EVE = "ada@example.com", "eve@example.com"


class House:
    """A store with two people and the group `admins`, and what the doorbell said."""

    def __init__(self, database: Database, *people: Account) -> None:
        self.database = database
        self.rang: list[str] = []
        self.groups = Groups(database, revocation=make_revocation(database, self.rang.append))
        self.ada, self.eve = people

    async def groups_of(self, account: Account) -> list[str]:
        async with self.database.read() as connection:
            return await list_groups_of(connection, account.id)

    async def id_of(self, name: str) -> str:
        return (await self.groups.find_by_name(name)).group.id

    async def add_member(self, name: str, account: Account) -> bool:
        return await self.groups.add_member(await self.id_of(name), account.id)

    async def remove_member(self, name: str, account: Account) -> bool:
        return await self.groups.remove_member(await self.id_of(name), account.id)

    async def remove(self, name: str) -> None:
        await self.groups.remove(await self.id_of(name))

    async def members_of(self, name: str) -> list[str]:
        return [member.email for member in (await self.groups.find_by_name(name)).members]

    async def log(self) -> tuple[str, ...]:
        return await invalidated(self.database)


@pytest.fixture
async def house(database: Database) -> House:
    house = House(database, await add_account(database, ADA), await add_account(database, EVE))
    await house.groups.add("admins")
    return house


async def test_membership_is_changed_logged_and_rung_in_one(house: House) -> None:
    await house.add_member("admins", house.ada)
    assert await house.groups_of(house.ada) == ["admins"]
    assert await house.groups_of(house.eve) == []
    assert await house.log() == tuple(house.rang) == (account_subject(house.ada.id),)
    await house.remove_member("admins", house.ada)
    assert await house.groups_of(house.ada) == []
    assert await house.log() == tuple(house.rang) == (account_subject(house.ada.id),) * 2


async def test_doing_it_twice_is_doing_it_once(house: House) -> None:
    """N1."""
    await asyncio.gather(*(house.add_member("admins", house.ada) for _ in range(5)))
    assert await house.members_of("admins") == [ADA]
    await asyncio.gather(*(house.remove_member("admins", house.ada) for _ in range(5)))
    assert await house.members_of("admins") == []
    assert len(await house.log()) == 2


async def test_removed_group_concerns_everybody_who_was_in_it(house: House) -> None:
    for account in (house.eve, house.ada):
        await house.add_member("admins", account)
    house.rang.clear()
    await house.remove("admins")
    assert await house.groups_of(house.ada) == await house.groups_of(house.eve) == []
    assert set(house.rang) == {account_subject(house.ada.id), account_subject(house.eve.id)}
    assert await house.groups.list() == []


async def test_new_group_of_an_old_name_is_empty(house: House) -> None:
    await house.add_member("admins", house.ada)
    await house.remove("admins")
    await house.groups.add("admins")
    assert await house.members_of("admins") == []


@pytest.mark.parametrize("name", ["admins", "Admins", "ADMINS", "\uff41dmins"])
async def test_name_is_taken_however_it_is_written(house: House, name: str) -> None:
    with pytest.raises(Conflict, match="already a group"):
        await house.groups.add(name)
    assert (await house.groups.find_by_name(name)).group.name == "admins"


@pytest.mark.both_databases
async def test_of_many_who_add_a_group_at_once_one_succeeds(house: House) -> None:
    """N1."""
    outcomes = await asyncio.gather(*(house.groups.add("ops") for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 4


async def test_groups_are_sorted(house: House) -> None:
    for name in ("ops", "Zoo", "billing"):
        await house.groups.add(name)
        await house.add_member(name, house.ada)
    assert await house.groups_of(house.ada) == ["Zoo", "billing", "ops"]
    assert [one.group.name for one in await house.groups.list()] == ["admins", "billing", "ops", "Zoo"]


async def test_what_is_not_there_is_named_and_changes_nothing(house: House) -> None:
    admins = await house.id_of("admins")
    for attempt, said in (
        (house.groups.add_member("nothing", house.ada.id), "no such group"),
        (house.groups.add_member(admins, "nobody"), "no such account"),
        (house.groups.remove_member("nothing", house.ada.id), "no such group"),
        (house.groups.remove_member(admins, "nobody"), "no such account"),
        (house.groups.remove("nothing"), "no such group"),
        (house.groups.find("nothing"), "no such group"),
        (house.groups.find_by_name("nobody"), "no group nobody"),
    ):
        with pytest.raises(NotFound, match=said):
            await attempt
    assert await house.log() == ()
