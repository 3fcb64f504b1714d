"""That an account exists costs no time: the same number of statements in one transaction, and one hash."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from gateway.credentials.passwords import PasswordHashing
from gateway.registration.chosen_password import ChosenPassword, PasswordChoice
from gateway.registration.mailed_links import MailedLinks
from gateway.registration.password_reset import PasswordReset
from gateway.registration.registration import Admission, Registration, WantedAccount
from gateway.registration.verification import Verification
from gateway.storage.accounts import set_disabled
from gateway.storage.database import Database
from tests.support.database import Disk, add_account
from tests.support.parts import RULES, make_outbox, make_revocation

KNOWN, UNVERIFIED, DISABLED = "known@example.com", "unverified@example.com", "disabled@example.com"


class _CountedHashing(PasswordHashing):
    hashes = 0

    async def hash(self, password: str) -> str:
        self.hashes += 1
        return await super().hash(password)


class _Doors:
    """The three flows over one database, with accounts in it."""

    def __init__(self, database: Database) -> None:
        self.passwords = _CountedHashing(threads=1)
        links = MailedLinks(make_outbox(), b"a key of the tests", "http://localhost:9091", reset_allowed=True)
        revocation = make_revocation(database, lambda _subject: None)
        choice = PasswordChoice(RULES, self.passwords, confirmation_required=False)
        admission = Admission(open=True, email_domains=(), verified_at_once=False)
        self._registration = Registration(database, admission=admission, choice=choice, links=links)
        self._verification = Verification(database, links=links, revocation=revocation)
        self._reset = PasswordReset(database, allowed=True, choice=choice, links=links, revocation=revocation)

    async def register(self, email: str) -> None:
        password = ChosenPassword("rope-lantern-41", None)
        await self._registration.register(WantedAccount(email, "Ada", None, password))

    async def send_again(self, email: str) -> None:
        await self._verification.send_again(email)

    async def request_reset(self, email: str) -> None:
        await self._reset.request(email, client_address="192.0.2.1")


@pytest.fixture
async def doors(database: Database) -> _Doors:
    doors = _Doors(database)
    await doors.register(UNVERIFIED)
    await add_account(database, KNOWN)
    disabled = await add_account(database, DISABLED)
    async with database.write() as connection:
        await set_disabled(connection, disabled.id, disabled=True, now=disabled.created_at)
    return doors


async def _statements(disk: Disk, act: Callable[[str], Awaitable[None]], email: str) -> list[str]:
    disk.statements.clear()
    await act(email)
    return list(disk.statements)


@pytest.mark.parametrize("flow", ["register", "send_again", "request_reset"])
async def test_known_and_unknown_addresses_cost_the_same_statements(doors: _Doors, disk: Disk, flow: str) -> None:
    """R2, L7."""
    act = getattr(doors, flow)
    work = {
        email: await _statements(disk, act, email)
        for email in ("nobody@example.com", KNOWN, UNVERIFIED, DISABLED, *[KNOWN] * 4, "somebody@example.com")
    }
    kinds = {email: [statement.split()[0] for statement in statements] for email, statements in work.items()}
    if flow == "register":
        # A new account is inserted where a known one is updated; all else is the same.
        kinds = {
            email: ["WRITE" if kind in {"INSERT", "UPDATE"} else kind for kind in one] for email, one in kinds.items()
        }
    assert len({tuple(one) for one in kinds.values()}) == 1, kinds


async def test_each_registration_costs_one_hash(doors: _Doors) -> None:
    """R2, L7."""
    doors.passwords.hashes = 0
    for number, email in enumerate((KNOWN, "nobody@example.com", UNVERIFIED, DISABLED), start=1):
        await doors.register(email)
        assert doors.passwords.hashes == number
