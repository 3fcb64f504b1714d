"""Inviting people: everybody or nobody, and every row that is wrong is told at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from gateway.credentials.passwords import PasswordHashing
from gateway.errors import InvalidRows, PermissionDenied
from gateway.grammar.initial_password import broken_initial_password_rules
from gateway.models import OrganizationRole, Workspace, WorkspaceRole
from gateway.organization.members.handed_passwords import HandedPassword
from gateway.organization.members.invitation_rows import Invitation
from gateway.organization.members.invitations import Invited
from gateway.storage.database import Database
from gateway.storage.groups import insert_group, list_groups_of
from gateway.storage.organizations import find_organization
from gateway.storage.standing import find_standing
from gateway.storage.workspaces import insert_workspace, insert_workspace_member, list_workspaces
from tests.support.database import add_account, add_organization
from tests.support.members import Office, audited, make_office, principal_of

ADMIN, OPERATOR, USER = OrganizationRole.ADMIN, OrganizationRole.OPERATOR, OrganizationRole.USER
ADA, BOB, EVE = (f"{name}@example.com" for name in ("ada", "bob", "eve"))


@pytest.fixture
async def passwords() -> AsyncIterator[PasswordHashing]:
    passwords = PasswordHashing(threads=2)
    yield passwords
    passwords.close()


@pytest.fixture
async def office(database: Database, passwords: PasswordHashing) -> Office:
    await add_organization(database)
    return make_office(database, passwords)


async def add_workspace(database: Database, name: str) -> Workspace:
    async with database.write() as connection:
        organization = await find_organization(connection)
        assert organization is not None
        now = datetime.now(UTC)
        return await insert_workspace(connection, organization_id=organization.id, display_name=name, now=now)


async def everybody(office: Office) -> list[str]:
    return [member.account.email for member in await office.members.list()]


async def roles_of(office: Office, invited: Invited) -> dict[str, WorkspaceRole]:
    async with office.database.read() as connection:
        standing = await find_standing(connection, invited.member.account)
    assert standing is not None
    return {one.workspace.display_name: one.role for one in standing.memberships}


async def test_whoever_is_invited_is_a_member_with_a_password_of_the_rule(
    office: Office, passwords: PasswordHashing
) -> None:
    """The seed's rule: 12 characters, lower case, upper case and a symbol."""
    [ada, bob] = await office.invitations.invite(None, [Invitation(ADA), Invitation(BOB, ADMIN, "Bob B.", "bob")])
    assert await everybody(office) == [ADA, BOB]
    assert (ada.member.account.name, ada.member.account.role) == ("ada", USER)
    account = bob.member.account
    assert (account.name, account.username, account.role) == ("Bob B.", "bob", ADMIN)
    for invited in (ada, bob):
        assert invited.member.account.must_change_password
        assert invited.password is not None
        assert broken_initial_password_rules(invited.password) == []
        assert await passwords.verify(invited.password, expected=invited.member.account.password_hash)
        assert invited.password not in repr(invited)
    assert ada.password != bob.password
    assert [(event.email, event.details) for event in await audited(office.database)] == [
        (ADA, {"role": USER.value}),
        (BOB, {"role": ADMIN.value}),
    ]


async def test_chosen_password_is_not_told_again(office: Office, passwords: PasswordHashing) -> None:
    chosen = [HandedPassword("correct horse"), HandedPassword("correct mule", must_change=False)]
    rows = [Invitation(email, password=password) for email, password in zip((ADA, BOB), chosen, strict=True)]
    ada, bob = await office.invitations.invite(None, rows)
    assert (ada.password, bob.password) == (None, None)
    assert (ada.member.account.must_change_password, bob.member.account.must_change_password) == (True, False)
    assert await passwords.verify("correct mule", expected=bob.member.account.password_hash)


async def test_every_row_that_is_wrong_is_told_and_nobody_is_added(office: Office) -> None:
    await office.invitations.invite(None, [Invitation(EVE, username="eve")])
    rows = [
        Invitation(EVE),
        Invitation(ADA, username="twin"),
        Invitation(ADA, password=HandedPassword("short")),
        Invitation("x@example.com", username="twin", workspaces=("Nowhere",), groups=("nobody",)),
        Invitation("y@example.com", username="eve"),
        Invitation("good@example.com"),
    ]
    with pytest.raises(InvalidRows) as refusal:
        await office.invitations.invite(None, rows)
    assert set(refusal.value.fields) == {
        "0.email",
        "1.email",
        "1.username",
        "2.email",
        "2.password",
        "3.username",
        "3.workspace_ids",
        "3.groups",
        "4.username",
    }
    assert await everybody(office) == [EVE]
    assert len(await audited(office.database)) == 1


@pytest.mark.both_databases
async def test_of_many_who_invite_an_address_at_once_one_succeeds(office: Office) -> None:
    """N1."""
    inviting = (office.invitations.invite(None, [Invitation(ADA), Invitation(f"{n}@example.com")]) for n in range(5))
    outcomes = await asyncio.gather(*inviting, return_exceptions=True)
    assert sum(isinstance(outcome, InvalidRows) for outcome in outcomes) == 4
    assert len(await everybody(office)) == 2, "of the others nobody came in with somebody else's row"


async def test_without_a_word_about_workspaces_it_is_the_default_one(office: Office) -> None:
    await add_workspace(office.database, "Research")
    wanted = {ADMIN: WorkspaceRole.ADMIN, USER: WorkspaceRole.EDITOR, OrganizationRole.VIEWER: WorkspaceRole.VIEWER}
    rows = [Invitation(f"{number}@example.com", role) for number, role in enumerate(wanted)]
    invited = await office.invitations.invite(None, rows)
    assert [(await roles_of(office, one))["Default"] for one in invited] == list(wanted.values())
    assert await roles_of(office, invited[1]) == {"Default": WorkspaceRole.EDITOR}


async def test_workspaces_and_groups_are_those_that_are_named(office: Office) -> None:
    research = await add_workspace(office.database, "Research")
    async with office.database.write() as connection:
        await insert_group(connection, "Staff", now=datetime.now(UTC))
    rows = [
        Invitation(ADA, workspaces=(research.id,), workspace_role=WorkspaceRole.VIEWER, groups=("staff",)),
        Invitation(BOB, workspaces=("RESEARCH", "default", research.id)),
        Invitation(EVE, workspaces=()),
    ]
    ada, bob, eve = await office.invitations.invite(None, rows)
    assert await roles_of(office, ada) == {"Research": WorkspaceRole.VIEWER}
    assert await roles_of(office, bob) == {"Default": WorkspaceRole.EDITOR, "Research": WorkspaceRole.EDITOR}
    assert await roles_of(office, eve) == {}
    async with office.database.read() as connection:
        assert await list_groups_of(connection, ada.member.account.id) == ["Staff"]


@pytest.mark.parametrize("role", [ADMIN, OPERATOR])
async def test_operator_gives_no_more_than_the_roles_below(office: Office, role: OrganizationRole) -> None:
    operator = await add_account(office.database, "op@example.com", role=OPERATOR)
    asker = await principal_of(office.database, operator)
    with pytest.raises(PermissionDenied):
        await office.invitations.invite(asker, [Invitation(ADA), Invitation(BOB, role)])
    assert await everybody(office) == ["op@example.com"]
    await office.invitations.invite(asker, [Invitation(ADA), Invitation(BOB, OrganizationRole.VIEWER)])


async def test_operator_puts_nobody_where_they_are_not_themselves(office: Office) -> None:
    """Else a second self, whose password the operator is shown, would read the workspaces of others."""
    secret, own = [await add_workspace(office.database, name) for name in ("Secret", "Own")]
    operator = await add_account(office.database, "op@example.com", role=OPERATOR)
    async with office.database.write() as connection:
        await insert_workspace_member(connection, own.id, operator.id, role=WorkspaceRole.ADMIN, now=datetime.now(UTC))
        default = (await list_workspaces(connection))[0]
    asker = await principal_of(office.database, operator)
    refused = [
        Invitation(ADA, workspaces=(secret.id,)),
        Invitation(BOB, workspaces=(default.id,), workspace_role=WorkspaceRole.ADMIN),
        Invitation(EVE, workspaces=(own.id, secret.id)),
    ]
    with pytest.raises(InvalidRows) as refusal:
        await office.invitations.invite(asker, refused)
    assert set(refusal.value.fields) == {"0.workspace_ids", "1.workspace_ids", "2.workspace_ids"}
    with pytest.raises(InvalidRows) as guesses:
        await office.invitations.invite(
            asker, [Invitation(ADA, workspaces=("secret",)), Invitation(BOB, workspaces=("nowhere",))]
        )
    # One that they are not in is not there.
    assert len(set(guesses.value.fields.values())) == 1
    await office.invitations.invite(
        asker, [Invitation(ADA, workspaces=(own.id,), workspace_role=WorkspaceRole.ADMIN), Invitation(BOB)]
    )


async def test_mail_is_promised_only_where_some_is_sent(database: Database, passwords: PasswordHashing) -> None:
    await add_organization(database)
    office = make_office(database, passwords, mail=False)
    with pytest.raises(InvalidRows) as refusal:
        await office.invitations.invite(None, [Invitation(ADA), Invitation(BOB, send_mail=True)])
    assert set(refusal.value.fields) == {"1.send_mail"}


async def test_progress_is_told_for_each_password(office: Office) -> None:
    told: list[int] = []
    await office.invitations.invite(None, [Invitation(ADA), Invitation(BOB)], progress=told.append)
    assert told == [1, 2]


async def test_lists_that_come_at_once_are_hashed_one_after_another(office: Office) -> None:
    """Logins wait in the same queue, behind one password of each list whose turn it is."""
    told: list[str] = []

    async def invite(name: str) -> None:
        def tell(_done: int) -> None:
            told.append(name)

        rows = [Invitation(f"{name}-{number}@example.com") for number in range(3)]
        await office.invitations.invite(None, rows, progress=tell)

    await asyncio.gather(invite("a"), invite("b"))
    assert "".join(told) in {"aaabbb", "bbbaaa"}
