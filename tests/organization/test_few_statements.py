"""How often the store is asked: once for what somebody is, and not once more for each row of a list."""

from __future__ import annotations

import pytest

from gateway.models import Account, OrganizationRole, ServiceAccount, WorkspaceRole
from gateway.organization.groups.groups import Groups
from gateway.organization.service_accounts.service_accounts import ServiceAccounts, WantedServiceAccount
from gateway.organization.workspaces.workspaces import Workspaces
from gateway.storage.accounts import list_accounts
from gateway.storage.database import Database
from gateway.storage.members import list_members
from gateway.storage.standing import find_standing
from gateway.storage.workspaces import list_workspaces
from tests.support.database import Disk, add_account, add_organization
from tests.support.parts import make_revocation

ADMIN, USER = OrganizationRole.ADMIN, OrganizationRole.USER


class House:
    """A store with an organization, and what manages it."""

    def __init__(self, database: Database) -> None:
        revocation = make_revocation(database, lambda _subject: None)
        self.database = database
        self.groups = Groups(database, revocation=revocation)
        self.service_accounts = ServiceAccounts(database, revocation=revocation)
        self._workspaces = Workspaces(database, revocation=revocation)

    async def grow(self, name: str) -> None:
        """Add two people who are in a group, a workspace, and three programs, one of which is in none."""
        group = await self.groups.add(f"{name}s")
        for role in (USER, ADMIN):
            person = await add_account(self.database, f"{name}.{role.name}@example.com", role=role)
            await self.groups.add_member(group.group.id, person.id)
        workspace = await self._workspaces.add(name, asker=None)
        for called, role, ids in (("user", USER, (workspace.id,)), ("admin", ADMIN, ()), ("nowhere", USER, ())):
            wanted = WantedServiceAccount(role=role, workspace_ids=ids, workspace_role=WorkspaceRole.VIEWER)
            await self.service_accounts.add(f"{name} {called}", wanted, asker=None)


@pytest.fixture
async def house(database: Database) -> House:
    await add_organization(database)
    house = House(database)
    await house.grow("Zoo")
    await house.grow("Annex")
    return house


async def test_what_somebody_is_takes_one_statement(house: House, disk: Disk) -> None:
    """A check with a credential that is not known yet waits for it."""
    async with house.database.read() as connection:
        owners: list[Account | ServiceAccount] = [*await list_accounts(connection)]
        owners += [one.account for one in await house.service_accounts.list()]
        for owner in owners:
            disk.statements.clear()
            standing = await find_standing(connection, owner)
            assert len(disk.statements) == 1
            assert standing is not None
            of_person = () if isinstance(owner, ServiceAccount) else (owner.email.partition(".")[0] + "s",)
            assert standing.groups == of_person


async def test_several_groups_are_sorted(house: House) -> None:
    ada = await add_account(house.database)
    for name in ("b", "Ä", "a b"):
        await house.groups.add_member((await house.groups.add(name)).group.id, ada.id)
    async with house.database.read() as connection:
        standing = await find_standing(connection, ada)
    assert standing is not None
    assert standing.groups == ("a b", "b", "Ä")


async def test_lists_take_as_many_statements_however_long_they_are(house: House, disk: Disk) -> None:
    async def statements() -> list[str]:
        disk.statements.clear()
        await house.groups.list()
        await house.service_accounts.list()
        async with house.database.read() as connection:
            await list_members(connection)
        return [*disk.statements]

    before = await statements()
    await house.grow("Mill")
    assert await statements() == before


async def test_list_says_of_each_what_is_said_of_one(house: House) -> None:
    groups, service_accounts = await house.groups.list(), await house.service_accounts.list()
    assert [await house.groups.find(one.group.id) for one in groups] == groups
    assert [await house.service_accounts.find(one.account.id) for one in service_accounts] == service_accounts
    async with house.database.read() as connection:
        everywhere = [workspace.display_name for workspace in await list_workspaces(connection)]
    found = {
        one.account.name: [(at.workspace.display_name, at.role.name) for at in one.memberships]
        for one in service_accounts
    }
    assert found["Zoo admin"] == [(name, "ADMIN") for name in everywhere] == found["Annex admin"]
    assert found["Zoo user"] == [("Zoo", "VIEWER")]
    assert found["Annex nowhere"] == []
