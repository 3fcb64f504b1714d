"""Who changes a second factor, and the new set of recovery codes that goes with most changes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from gateway.code_proof import CodeTry
from gateway.credentials.recovery_codes import make_recovery_codes, make_recovery_salt
from gateway.errors import InvalidFields, TokenExpired, TooManyAttempts, Unauthorized, Unavailable
from gateway.models import Account, Principal
from gateway.sessions import Visitor
from gateway.storage.accounts import find_account
from gateway.storage.second_factors import RecoverySet

if TYPE_CHECKING:
    from gateway.credentials.passwords import PasswordHashing
    from gateway.storage.database import Database

_DEADLINE = timedelta(seconds=10)
_ONE_AT_A_TIME = "Recovery codes are being made for you already. Please try again in a moment."


@dataclass(frozen=True, slots=True)
class Owner:
    """Whoever changes their second factor, in which of their sessions, from where, and by how many factors."""

    account_id: str
    session_id: str
    visitor: Visitor
    level: int
    browser: str = ""

    @classmethod
    def behind(cls, principal: Principal, visitor: Visitor, *, browser: str = "") -> Self:
        """Raise `Unauthorized` for a credential that is no session: keys change no factors."""
        if principal.session_id is None:
            raise Unauthorized
        return cls(principal.account_id, principal.session_id, visitor, principal.level, browser)

    @property
    def beginner(self) -> str:
        """Who began an enrolment, and alone may see or confirm it: this session, on the pages in this browser only.

        A page shows its secret again when it is loaded again; a bare copy of the session cookie must not load it.
        """
        return f"{self.session_id} {self.browser}"

    async def account(self, database: Database) -> Account:
        """Read the account as it is now. Raises `TokenExpired` where it is gone."""
        async with database.read() as connection:
            account = await find_account(connection, self.account_id)
        if account is None:
            raise TokenExpired
        return account

    def tries(self, account: Account, given: object) -> CodeTry:
        return CodeTry(account, given, self.visitor)


@dataclass(frozen=True, slots=True)
class NewRecoveryCodes:
    """A set to be shown once, and what is kept of it."""

    codes: tuple[str, ...]
    kept: RecoverySet


class RecoveryCodeSets:
    """Make sets, one after another: ten slow hashes at once are as much as logins beside them should wait for."""

    def __init__(self, passwords: PasswordHashing) -> None:
        self._passwords = passwords
        self._turn = asyncio.Lock()
        self._served: set[str] = set()

    async def make(self, account_id: str) -> NewRecoveryCodes:
        """Make one, before any transaction.

        Raises `Unavailable` where too many are being made, and `TooManyAttempts` where one of them is this account's:
        nobody keeps the others waiting by asking again and again.
        """
        if account_id in self._served:
            raise TooManyAttempts(_ONE_AT_A_TIME, retry_after=timedelta(seconds=1))
        self._served.add(account_id)
        try:
            return await self._make()
        finally:
            self._served.discard(account_id)

    async def _make(self) -> NewRecoveryCodes:
        codes, salt = make_recovery_codes(), make_recovery_salt()
        try:
            async with asyncio.timeout(_DEADLINE.total_seconds()):
                await self._turn.acquire()
        except TimeoutError as error:
            raise Unavailable from error
        try:
            digests = await self._passwords.digests(codes, salt=salt)
        finally:
            self._turn.release()
        return NewRecoveryCodes(codes, RecoverySet(salt, digests))


class PreparedCodes:
    """A set that is made only once a code fits: whoever guesses must not make us work."""

    def __init__(self, sets: RecoveryCodeSets, account_id: str) -> None:
        self._sets = sets
        self._account_id = account_id
        self._made: NewRecoveryCodes | None = None

    async def make(self) -> None:
        self._made = await self._sets.make(self._account_id)

    @property
    def made(self) -> NewRecoveryCodes:
        if self._made is None:
            raise Unavailable
        return self._made


def code_wanted() -> InvalidFields:
    """Make the refusal of a change for which no code came: nothing was tried, and nothing is counted."""
    message = "Send a code of your authenticator app, or one of your recovery codes."
    return InvalidFields(message, fields={"token": "A code of your second factor is needed."})
