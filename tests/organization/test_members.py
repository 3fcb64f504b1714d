"""Changing and removing members: everything or nothing, and never beyond what the asker has."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from gateway.credentials.passwords import PasswordHashing
from gateway.errors import Conflict, InvalidFields, NotFound, PermissionDenied
from gateway.facts.facts import account_subject
from gateway.models import Account, OrganizationRole
from gateway.organization.members.handed_passwords import HandedPassword
from gateway.organization.members.members import MemberChange
from gateway.sessions import SessionLifetimes, Sessions, Visitor
from gateway.storage.database import Database
from tests.support.database import add_account, add_organization
from tests.support.members import Office, audited, make_office, principal_of
from tests.support.parts import disable

ADMIN, OPERATOR, USER = OrganizationRole.ADMIN, OrganizationRole.OPERATOR, OrganizationRole.USER


@pytest.fixture
async def passwords() -> AsyncIterator[PasswordHashing]:
    passwords = PasswordHashing(threads=2)
    yield passwords
    passwords.close()


@pytest.fixture
def rang() -> list[str]:
    return []


@pytest.fixture
async def office(database: Database, passwords: PasswordHashing, rang: list[str]) -> Office:
    await add_organization(database)
    return make_office(database, passwords, doorbell=rang.append)


@pytest.fixture
async def root(office: Office) -> Account:
    return await add_account(office.database, "root@example.com", role=ADMIN)


@pytest.fixture
async def ada(office: Office) -> Account:
    return await add_account(office.database)


async def log_in(database: Database, account: Account) -> tuple[Sessions, str]:
    day = timedelta(days=1)
    sessions = Sessions(database, token_key=b"key", lifetimes=SessionLifetimes(day, day, day))
    async with database.write() as connection:
        _, token = await sessions.open(
            connection,
            account,
            visitor=Visitor(None, None),
            remember_me=False,
            with_second_factor=False,
            now=datetime.now(UTC),
        )
    return sessions, token


async def test_unknown_member_is_not_found(office: Office) -> None:
    for asking in (
        office.members.find("nobody"),
        office.members.change(None, "nobody", MemberChange(full_name="X")),
        office.members.change(None, "nobody", MemberChange(password=HandedPassword())),
        office.members.remove(None, "nobody"),
        office.members.remove_second_factor(None, "nobody"),
    ):
        with pytest.raises(NotFound):
            await asking


async def test_unknown_address_is_said_with_the_cure(office: Office) -> None:
    with pytest.raises(NotFound, match="gateway member list"):
        await office.members.find_by_email("nobody@example.com")


async def test_other_role_goes_on_in_the_sessions_and_is_audited(
    office: Office, root: Account, ada: Account, rang: list[str]
) -> None:
    sessions, token = await log_in(office.database, ada)
    changed = await office.members.change(await principal_of(office.database, root), ada.id, MemberChange(role=ADMIN))
    assert changed.member.account.role is ADMIN
    known = await sessions.find_by_token(token)
    assert known is not None
    assert known.account.role is ADMIN
    assert rang == [account_subject(ada.id)]
    [event] = await audited(office.database, "role_changed")
    assert (event.email, event.details["before"], event.details["after"]) == (ada.email, USER.value, ADMIN.value)


async def test_same_again_changes_nothing_and_is_not_audited(office: Office, ada: Account, rang: list[str]) -> None:
    await office.members.change(None, ada.id, MemberChange(role=USER, full_name=ada.name, disabled=False))
    assert await audited(office.database) == []
    assert rang == []


@pytest.mark.parametrize("given", ["a new password", None])
async def test_handed_password_replaces_the_old_one_and_ends_every_session(
    office: Office, ada: Account, passwords: PasswordHashing, given: str | None
) -> None:
    """S5."""
    sessions, token = await log_in(office.database, ada)
    changed = await office.members.change(None, ada.id, MemberChange(password=HandedPassword(given)))
    account = changed.member.account
    assert (changed.password is None) is (given is not None)
    assert account.must_change_password
    assert await passwords.verify(given or changed.password or "", expected=account.password_hash)
    assert await sessions.find_by_token(token) is None


async def test_password_of_the_shell_need_not_be_changed(office: Office, ada: Account) -> None:
    handed = HandedPassword("a new password", must_change=False)
    changed = await office.members.change(None, ada.id, MemberChange(password=handed))
    assert not changed.member.account.must_change_password


async def test_everything_of_a_change_happens_or_nothing(office: Office, root: Account, rang: list[str]) -> None:
    """The name comes first, and goes back with the role that cannot be taken away."""
    change = MemberChange(full_name="Somebody", role=USER, password=HandedPassword())
    with pytest.raises(Conflict, match=r"root@example\.com"):
        await office.members.change(None, root.id, change)
    assert (await office.members.find(root.id)).account == root
    assert await audited(office.database) == []
    assert rang == []


async def test_password_outside_the_rules_changes_nothing(office: Office, ada: Account) -> None:
    with pytest.raises(InvalidFields) as refusal:
        await office.members.change(None, ada.id, MemberChange(role=ADMIN, password=HandedPassword("short")))
    assert set(refusal.value.fields) == {"password"}
    assert (await office.members.find(ada.id)).account == ada


async def test_removed_member_is_gone_with_everything(office: Office, ada: Account, rang: list[str]) -> None:
    sessions, token = await log_in(office.database, ada)
    await office.members.remove(None, ada.id)
    assert await sessions.find_by_token(token) is None
    with pytest.raises(NotFound):
        await office.members.find(ada.id)
    assert rang == [account_subject(ada.id)]
    [event] = await audited(office.database, "account_removed")
    assert (event.account_id, event.email) == (ada.id, ada.email)


async def test_last_active_administrator_stays(office: Office, root: Account) -> None:
    disabled = await add_account(office.database, "second@example.com", role=ADMIN)
    banned = await add_account(office.database, "third@example.com", role=ADMIN)
    await office.members.change(None, disabled.id, MemberChange(disabled=True))
    await office.revocation.ban(banned, until=datetime.now(UTC) + timedelta(hours=1), reason="")
    for trying in (
        office.members.change(None, root.id, MemberChange(role=OPERATOR)),
        office.members.change(None, root.id, MemberChange(disabled=True)),
        office.members.remove(None, root.id),
        disable(office.revocation, root),
        office.revocation.ban(root, until=datetime.now(UTC) + timedelta(hours=1), reason=""),
    ):
        with pytest.raises(Conflict, match="last active Organization Admin"):
            await trying
    assert (await office.members.find(root.id)).account == root
    # What is not active can go.
    await office.members.remove(None, disabled.id)
    await office.members.change(None, banned.id, MemberChange(role=USER))


async def test_nobody_takes_an_own_account_over_with_an_access_token(office: Office, root: Account) -> None:
    """S5: a stolen token would be enough otherwise."""
    asker = await principal_of(office.database, root)
    for trying in (
        office.members.change(asker, root.id, MemberChange(password=HandedPassword())),
        office.members.remove_second_factor(asker, root.id),
    ):
        with pytest.raises(PermissionDenied, match="your own account"):
            await trying
    assert (await office.members.find(root.id)).account == root


async def test_whoever_is_no_administrator_touches_none(office: Office, root: Account) -> None:
    operator = await add_account(office.database, "op@example.com", role=OPERATOR)
    await add_account(office.database, "second@example.com", role=ADMIN)
    asker = await principal_of(office.database, operator)
    for trying in (
        office.members.change(asker, root.id, MemberChange(disabled=True)),
        office.members.change(asker, root.id, MemberChange(password=HandedPassword())),
        office.members.change(asker, operator.id, MemberChange(role=ADMIN)),
        office.members.remove(asker, root.id),
        office.members.remove_second_factor(asker, root.id),
    ):
        with pytest.raises(PermissionDenied):
            await trying
