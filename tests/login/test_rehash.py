"""A stored hash follows the parameters when they rise, at the owner's next login."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from argon2 import PasswordHasher, extract_parameters
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.credentials.passwords import PasswordHashing
from gateway.errors import EmailNotVerified, InvalidCredentials
from gateway.models import Account
from gateway.storage.accounts import find_account, rehash_password
from gateway.storage.database import Database
from gateway.throttle.logins import Attempt
from tests.support.database import add_account
from tests.support.parts import make_proof

PASSWORD = "mint grows on walls"
FORMER = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1)


@pytest.fixture(autouse=True)
def cheap_hashes() -> None:
    """Pay the price of a real one."""


@dataclass(frozen=True, slots=True)
class Login:
    """Proves the password of one account whose hash was made when less was asked."""

    database: Database
    passwords: PasswordHashing
    account: Account

    async def prove(self, password: str = PASSWORD) -> Account:
        async def as_it_is(_connection: AsyncConnection, account: Account) -> Account:
            return account

        proof = make_proof(self.database, self.passwords)
        return await proof.prove(Attempt(self.account.email, "192.0.2.1"), password, as_it_is)

    async def stored(self) -> Account:
        async with self.database.read() as connection:
            account = await find_account(connection, self.account.id)
        assert account is not None
        return account


@pytest.fixture
async def login(database: Database) -> AsyncIterator[Login]:
    passwords = PasswordHashing(threads=1)
    account = await add_account(database, password_hash=FORMER.hash(PASSWORD), must_change_password=True)
    yield Login(database, passwords, account)
    passwords.close()


async def test_right_password_is_hashed_anew(login: Login) -> None:
    """L5."""
    proven, stored = await login.prove(), await login.stored()
    assert stored.password_hash is not None
    assert extract_parameters(stored.password_hash).memory_cost == 19 * 1024
    assert proven.password_hash == stored.password_hash, "who changes the password next has to know the hash in force"
    await login.prove()
    assert (await login.stored()).password_hash == stored.password_hash, "once is enough"


async def test_nothing_else_of_the_account_changes(login: Login) -> None:
    before = await login.stored()
    await login.prove()
    after = await login.stored()
    assert (after.must_change_password, after.updated_at) == (before.must_change_password, before.updated_at)


async def test_wrong_password_changes_nothing(login: Login) -> None:
    with pytest.raises(InvalidCredentials):
        await login.prove("mint grows on roofs")
    assert await login.stored() == login.account


async def test_password_that_was_changed_meanwhile_stays_changed(login: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    """N1: the hash is replaced only while it is the one that was proven."""
    changed = FORMER.hash("another password")
    hash_password = login.passwords.hash

    async def change_meanwhile(password: str) -> str:
        async with login.database.write() as connection:
            await connection.exec_driver_sql("UPDATE accounts SET password_hash = ?", (changed,))
        return await hash_password(password)

    monkeypatch.setattr(login.passwords, "hash", change_meanwhile)
    with pytest.raises(InvalidCredentials):
        await login.prove()
    assert (await login.stored()).password_hash == changed


async def test_hash_is_replaced_only_by_whoever_knows_the_one_in_force(login: Login) -> None:
    """N1: between the comparison and the writing another process may step in."""
    async with login.database.write() as connection:
        await rehash_password(connection, login.account.id, proven_hash="a former one", password_hash="new")
    assert await login.stored() == login.account


async def test_disabled_account_costs_no_second_hash(login: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    """L7: the time would tell that the password was right."""
    async with login.database.write() as connection:
        await connection.exec_driver_sql("UPDATE accounts SET disabled_at = created_at")
    hashed: list[str] = []

    async def note(password: str) -> str:
        hashed.append(password)
        return ""

    monkeypatch.setattr(login.passwords, "hash", note)
    with pytest.raises(InvalidCredentials):
        await login.prove()
    assert not hashed


async def test_refused_login_keeps_the_former_hash(login: Login) -> None:
    async with login.database.write() as connection:
        await connection.exec_driver_sql("UPDATE accounts SET email_verified = 0")
    with pytest.raises(EmailNotVerified):
        await login.prove()
    assert (await login.stored()).password_hash == login.account.password_hash
