"""Adding people, and handing them a new password."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from gateway.credentials.passwords import PasswordHashing
from gateway.errors import Conflict, InvalidFields, NotFound
from gateway.facts.facts import account_subject
from gateway.models import OrganizationRole
from gateway.organization.members import Members
from gateway.sessions import SessionLifetimes, Sessions, Visitor
from gateway.storage.database import Database
from tests.support.database import add_organization
from tests.support.parts import RULES, make_revocation

USER, ADMIN = OrganizationRole.USER, OrganizationRole.ADMIN


@pytest.fixture
async def passwords() -> AsyncIterator[PasswordHashing]:
    passwords = PasswordHashing(threads=2)
    yield passwords
    passwords.close()


@pytest.fixture
def rang() -> list[str]:
    return []


@pytest.fixture
def members(database: Database, passwords: PasswordHashing, rang: list[str]) -> Members:
    return Members(database, rules=RULES, passwords=passwords, revocation=make_revocation(database, rang.append))


async def test_given_password_is_the_members_own(members: Members, passwords: PasswordHashing) -> None:
    account, generated = await members.add(email="ada@example.com", name="Ada", role=USER, password="correct horse")
    assert generated is None
    assert await members.find("ada@example.com") == account
    assert (account.name, account.role, account.must_change_password) == ("Ada", USER, False)
    assert await passwords.verify("correct horse", expected=account.password_hash)


async def test_generated_password_has_to_be_changed(members: Members, passwords: PasswordHashing) -> None:
    account, generated = await members.add(email="ada@example.com", name="Ada", role=ADMIN, password=None)
    assert generated
    assert (account.role, account.must_change_password) == (ADMIN, True)
    assert await passwords.verify(generated, expected=account.password_hash)


@pytest.mark.parametrize("password", ["", "short", " " * 20, "x" * 129])
async def test_password_outside_the_rules_is_refused_and_nobody_is_added(members: Members, password: str) -> None:
    with pytest.raises(InvalidFields) as refusal:
        await members.add(email="ada@example.com", name="Ada", role=USER, password=password)
    assert refusal.value.fields["password"]
    assert await members.list() == []


async def test_taken_address_is_a_conflict_and_changes_nothing(members: Members) -> None:
    account, _ = await members.add(email="ada@example.com", name="Ada", role=USER, password=None)
    with pytest.raises(Conflict, match=r"ada@example\.com"):
        await members.add(email="ada@example.com", name="Eve", role=ADMIN, password=None)
    assert await members.list() == [account]


async def test_of_many_who_add_an_address_at_once_one_succeeds(members: Members) -> None:
    """N1."""
    adding = (members.add(email="ada@example.com", name="Ada", role=USER, password=None) for _ in range(5))
    outcomes = await asyncio.gather(*adding, return_exceptions=True)
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 4
    assert len(await members.list()) == 1


async def test_unknown_address_is_said_with_the_cure(members: Members) -> None:
    with pytest.raises(NotFound, match="gateway user list"):
        await members.find("nobody@example.com")


@pytest.mark.parametrize("given", ["a new password", None])
async def test_reset_password_replaces_the_old_one_and_ends_every_session(
    members: Members, database: Database, passwords: PasswordHashing, rang: list[str], given: str | None
) -> None:
    """S5."""
    await add_organization(database)
    account, _ = await members.add(email="ada@example.com", name="Ada", role=USER, password="correct horse")
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
    generated = await members.reset_password(account, password=given)
    changed = await members.find("ada@example.com")
    assert (generated is None) is (given is not None)
    assert changed.must_change_password is (given is None)
    assert await passwords.verify(given or generated or "", expected=changed.password_hash)
    assert not await passwords.verify("correct horse", expected=changed.password_hash)
    assert await sessions.find_by_token(token) is None
    assert rang == [account_subject(account.id)]


async def test_reset_to_a_password_outside_the_rules_changes_nothing(members: Members, rang: list[str]) -> None:
    account, _ = await members.add(email="ada@example.com", name="Ada", role=USER, password="correct horse")
    with pytest.raises(InvalidFields):
        await members.reset_password(account, password="short")
    assert await members.find("ada@example.com") == account
    assert rang == []
