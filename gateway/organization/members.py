"""Adding people, and handing them a new password."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from gateway.audit.events import EventKind, record
from gateway.credentials.passwords import generate_password
from gateway.errors import InvalidFields
from gateway.models import Account, OrganizationRole
from gateway.organization.accounts import require_account
from gateway.storage.accounts import create_account, list_accounts

if TYPE_CHECKING:
    from gateway.credentials.password_rules import PasswordRules
    from gateway.credentials.passwords import PasswordHashing
    from gateway.revocation import Revocation
    from gateway.storage.database import Database

_log = structlog.get_logger("gateway.security")


class Members:
    """The organization's people, as an operator at the command line sees them."""

    def __init__(
        self, database: Database, *, rules: PasswordRules, passwords: PasswordHashing, revocation: Revocation
    ) -> None:
        self._database = database
        self._rules = rules
        self._passwords = passwords
        self._revocation = revocation

    async def add(
        self, *, email: str, name: str, role: OrganizationRole, password: str | None
    ) -> tuple[Account, str | None]:
        """Add an account; without a password one is generated and returned, to be changed at the first login."""
        password_hash, generated = await self._hash(password, email=email)
        async with self._database.write() as connection:
            account = await create_account(
                connection,
                email=email,
                name=name,
                password_hash=password_hash,
                role=role,
                must_change_password=generated is not None,
                now=datetime.now(UTC),
            )
            await record(connection, EventKind.ACCOUNT_ADDED, account=account, role=role.value)
        _log.info("account_added", account_id=account.id, role=role.value)
        return account, generated

    async def list(self) -> list[Account]:
        async with self._database.read() as connection:
            return await list_accounts(connection)

    async def find(self, email: str) -> Account:
        """Find by canonical e-mail address. Raises `NotFound`."""
        async with self._database.read() as connection:
            return await require_account(connection, email)

    async def reset_password(self, account: Account, *, password: str | None) -> str | None:
        """Set a password and end every session; without one it is generated, returned, and has to be changed."""
        password_hash, generated = await self._hash(password, email=account.email)
        await self._revocation.hand_over_password(
            account, password_hash=password_hash, must_change=generated is not None
        )
        return generated

    async def _hash(self, password: str | None, *, email: str) -> tuple[str, str | None]:
        """Hash a chosen password, which has to keep the rules, or a generated one, which is returned with it."""
        if password is None:
            generated = generate_password()
            return await self._passwords.hash(generated), generated
        if broken := await self._passwords.broken_rule(self._rules, password, email=email):
            raise InvalidFields(fields={"password": broken})
        return await self._passwords.hash(password), None
