"""The first start: the organization, its workspace, and the administrator from configuration."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from gateway.audit.events import EventKind, record
from gateway.credentials.session_tokens import digest_token, make_token
from gateway.errors import Conflict, InvalidFields, SetupLinkDead
from gateway.grammar.initial_password import broken_initial_password_rules
from gateway.models import Account, AuthMode, OrganizationRole
from gateway.storage.accounts import count_active_admins, create_account, find_account_by_email
from gateway.storage.default_account import set_default_account
from gateway.storage.one_time_tokens import (
    OneTimeToken,
    find_one_time_token,
    replace_one_time_token,
    spend_one_time_token,
)
from gateway.storage.organizations import create_organization, find_organization
from gateway.storage.workspaces import insert_workspace

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.credentials.passwords import PasswordHashing
    from gateway.storage.database import Database

_log = structlog.get_logger("gateway.security")

ORGANIZATION_NAME = "Default"
SETUP_LINK_LIFETIME = timedelta(minutes=30)
_SETUP = "setup"

# As LangSmith has it, whose applications may have written it down.
_WORKSPACE_WITHOUT_LOGINS = "00000000-0000-0000-0000-000000000000"
_DEFAULT_EMAIL = "default@localhost"
_DEFAULT_NAME = "Default user"


@dataclass(frozen=True, slots=True)
class FirstAdministrator:
    """The administrator as configured or as typed on the set-up page; the e-mail in its canonical form."""

    email: str
    name: str
    password: str


class Bootstrap:
    """Create what a fresh installation needs. Every step is idempotent and made once, however many start at a time."""

    def __init__(self, database: Database, *, passwords: PasswordHashing, token_key: bytes) -> None:
        self._database = database
        self._passwords = passwords
        self._token_key = token_key

    async def create_organization(self, mode: AuthMode = AuthMode.BASIC) -> None:
        """Create it unless there is one, whatever its mode; without logins there is a default user from the start."""
        async with self._database.write() as connection:
            if await find_organization(connection) is not None:
                return
            now = datetime.now(UTC)
            organization = await create_organization(connection, display_name=ORGANIZATION_NAME, mode=mode, now=now)
            await insert_workspace(
                connection,
                organization_id=organization.id,
                display_name=ORGANIZATION_NAME,
                workspace_id=_WORKSPACE_WITHOUT_LOGINS if mode is AuthMode.NONE else None,
                now=now,
            )
            if mode is AuthMode.NONE:
                await _create_default_user(connection, now=now)

    async def create_administrator(self, administrator: FirstAdministrator) -> bool:
        """Create the configured administrator unless the account exists; says whether it did.

        An existing account stays as it is: a password that was changed is never set back.
        """
        async with self._database.read() as connection:
            if await find_account_by_email(connection, administrator.email) is not None:
                return False
        password_hash = await self._passwords.hash(administrator.password)
        try:
            async with self._database.write() as connection:
                await self._create_admin(connection, administrator, password_hash)
        except Conflict:
            return False
        return True

    async def setup_needed(self) -> bool:
        async with self._database.read() as connection:
            return await count_active_admins(connection) == 0

    async def make_setup_token(self) -> str:
        """Make the token of the one-time set-up link; an older one is dead from now on."""
        token, now = make_token(), datetime.now(UTC)
        async with self._database.write() as connection:
            link = OneTimeToken(_SETUP, account_id=None, expires_at=now + SETUP_LINK_LIFETIME)
            await replace_one_time_token(connection, self._digest(token), link, now=now)
        return token

    async def setup_token_is_good(self, token: str) -> bool:
        async with self._database.read() as connection:
            digest = self._digest(token)
            return await find_one_time_token(connection, digest, purpose=_SETUP, now=datetime.now(UTC)) is not None

    async def set_up(self, token: str, administrator: FirstAdministrator) -> Account:
        """Spend the token on the first administrator. Raises `InvalidFields`, `SetupLinkDead` or `Conflict`."""
        if broken := broken_initial_password_rules(administrator.password):
            raise InvalidFields(fields={"password": " ".join(broken)})
        if not await self.setup_token_is_good(token):
            raise SetupLinkDead
        password_hash = await self._passwords.hash(administrator.password)
        async with self._database.write() as connection:
            spent = await spend_one_time_token(connection, self._digest(token), purpose=_SETUP, now=datetime.now(UTC))
            if spent is None or await count_active_admins(connection) > 0:
                raise SetupLinkDead
            return await self._create_admin(connection, administrator, password_hash)

    async def _create_admin(
        self, connection: AsyncConnection, administrator: FirstAdministrator, password_hash: str
    ) -> Account:
        account = await create_account(
            connection,
            email=administrator.email,
            name=administrator.name,
            password_hash=password_hash,
            role=OrganizationRole.ADMIN,
            must_change_password=False,
            now=datetime.now(UTC),
        )
        await record(connection, EventKind.ADMINISTRATOR_CREATED, account=account)
        _log.info("administrator_created", account_id=account.id, email=account.email)
        return account

    def _digest(self, token: str) -> bytes:
        return digest_token(token, key=self._token_key)


async def _create_default_user(connection: AsyncConnection, *, now: datetime) -> None:
    """Create whoever asks without a credential. There is no password: nothing can be tried against it."""
    account = await create_account(
        connection,
        email=_DEFAULT_EMAIL,
        name=_DEFAULT_NAME,
        password_hash=None,
        role=OrganizationRole.ADMIN,
        must_change_password=False,
        now=now,
    )
    await set_default_account(connection, account.id)
    await record(connection, EventKind.ADMINISTRATOR_CREATED, account=account)
