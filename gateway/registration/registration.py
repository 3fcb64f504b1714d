"""A new account, made by the person themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from gateway.audit.events import EventKind, record
from gateway.errors import InvalidFields, RegistrationOff
from gateway.models import Account, OrganizationRole
from gateway.storage.accounts import (
    create_account,
    find_account_by_email,
    note_registration,
    username_is_taken,
)
from gateway.storage.audit_events import count_events_of
from gateway.storage.workspaces import join_default_workspace

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.registration.chosen_password import ChosenPassword, PasswordChoice
    from gateway.registration.mailed_links import MailedLinks
    from gateway.storage.database import Database

_log = structlog.get_logger("gateway.security")

# Further registrations of one address send no letter, and say nothing about it (OWASP Forgot Password Cheat Sheet).
MOST_LETTERS = 3
LETTERS_WITHIN = timedelta(hours=1)
_NO_ACCOUNT = ""


@dataclass(frozen=True, slots=True)
class WantedAccount:
    """What somebody typed: address and username in their canonical forms."""

    email: str
    name: str
    username: str | None
    password: ChosenPassword


@dataclass(frozen=True, slots=True)
class Admission:
    """Who may register here, and whether a new account counts as verified at once: where nobody can send a link."""

    open: bool
    email_domains: tuple[str, ...]
    verified_at_once: bool

    def require_open(self) -> None:
        if not self.open:
            raise RegistrationOff

    def require(self, email: str) -> None:
        """Raise `RegistrationOff` unless this address may register."""
        self.require_open()
        if self.email_domains and email.rpartition("@")[2] not in self.email_domains:
            raise RegistrationOff


class Registration:
    """Make accounts. Whether an address was known already is told to its mailbox only."""

    def __init__(self, database: Database, *, admission: Admission, choice: PasswordChoice, links: MailedLinks) -> None:
        self._database = database
        self._admission = admission
        self._choice = choice
        self._links = links

    def require_open(self) -> None:
        self._admission.require_open()

    async def register(self, wanted: WantedAccount) -> None:
        """Store the account, or say to the mailbox that there is one. Raises `RegistrationOff` or `InvalidFields`.

        A username that is taken is refused whoever has it: names are no secret, and an exception for the address's own
        would tell who has which.
        """
        self._admission.require(wanted.email)
        problems = await self._choice.problems(wanted.password, email=wanted.email)
        async with self._database.read() as connection:
            problems |= await _username_problem(connection, wanted.username)
        if problems:
            raise InvalidFields(fields=problems)
        # For known addresses too: the slowest step must not tell them apart.
        password_hash = await self._choice.hash(wanted.password)
        async with self._database.write() as connection:
            if problems := await _username_problem(connection, wanted.username):
                raise InvalidFields(fields=problems)
            await self._store(connection, wanted, password_hash)

    async def _store(self, connection: AsyncConnection, wanted: WantedAccount, password_hash: str) -> None:
        now = datetime.now(UTC)
        known = await find_account_by_email(connection, wanted.email)
        letters = await count_events_of(
            connection,
            known.id if known else _NO_ACCOUNT,
            kinds=(EventKind.REGISTERED, EventKind.VERIFICATION_REQUESTED),
            since=now - LETTERS_WITHIN,
        )
        if known is None:
            account = await self._create(connection, wanted, password_hash, now=now)
            await record(connection, EventKind.REGISTERED, account=account)
            _log.info("account_registered", account_id=account.id)
            return
        # As long as a new account takes; of nobody's id nothing comes.
        await join_default_workspace(connection, "", role=OrganizationRole.USER, now=now)
        await note_registration(connection, known.id, now=now)
        if letters >= MOST_LETTERS or not known.active(now):
            await self._links.withdraw_verification(connection, known, now=now)
        else:
            await self._links.post_already_registered(connection, known, now=now)
        await record(connection, EventKind.REGISTERED, account=known, succeeded=False)

    async def _create(
        self, connection: AsyncConnection, wanted: WantedAccount, password_hash: str, *, now: datetime
    ) -> Account:
        account = await create_account(
            connection,
            email=wanted.email,
            name=wanted.name,
            username=wanted.username,
            password_hash=password_hash,
            role=OrganizationRole.USER,
            must_change_password=False,
            email_verified=self._admission.verified_at_once,
            registered_at=now,
            now=now,
        )
        await self._links.post_verification(connection, account, now=now)
        return account


async def _username_problem(connection: AsyncConnection, username: str | None) -> dict[str, str]:
    if username is not None and await username_is_taken(connection, username):
        return {"username": "This username is taken."}
    return {}
