"""The stored mode and the configured one: which change is possible, and the one that migrates."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from gateway.audit.events import EventKind, record
from gateway.errors import ModeRefused
from gateway.facts.facts import account_subject
from gateway.models import Account, AuthMode, OrganizationRole
from gateway.storage.accounts import create_account, find_account_by_email
from gateway.storage.default_account import become_administrator, begin_logins, find_default_account
from gateway.storage.invalidations import append_invalidation
from gateway.storage.organizations import find_organization

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.credentials.passwords import PasswordHashing
    from gateway.organization.bootstrap import FirstAdministrator
    from gateway.storage.database import Database

_log = structlog.get_logger("gateway.security")

# How to get each mode back.
_WRITTEN = {
    AuthMode.NONE: "AUTH_TYPE=none",
    AuthMode.BASIC: "AUTH_TYPE=mixed (without any OAUTH_… value)",
    AuthMode.OAUTH: "AUTH_TYPE=oauth",
}


def require_possible(stored: AuthMode | None, wanted: AuthMode) -> None:
    """Raise `ModeRefused` where an installation cannot become what is configured (`None`: there is none yet)."""
    if stored not in (None, wanted) and (stored, wanted) != (AuthMode.NONE, AuthMode.BASIC):
        message = (
            f"the configuration says {_WRITTEN[wanted]}, and this database belongs to an installation with "
            f"{_WRITTEN[stored]}. An installation stays what it was made as: its accounts mean nothing in the other "
            f"mode. Set {_WRITTEN[stored]} again, or begin anew with another database (DATABASE_URL, or another "
            "GATEWAY_DATA_DIR)"
        )
        raise ModeRefused(message)
    if wanted is AuthMode.OAUTH:
        message = "login by OAuth comes with a later version of the gateway: set AUTH_TYPE=mixed, and no OAUTH_… value"
        raise ModeRefused(message)


class Modes:
    """Read the stored mode, and let an installation without logins begin to ask for them."""

    def __init__(self, database: Database, passwords: PasswordHashing) -> None:
        self._database = database
        self._passwords = passwords

    async def stored(self) -> AuthMode | None:
        async with self._database.read() as connection:
            organization = await find_organization(connection)
        return None if organization is None else organization.mode

    async def begin_logins(self, administrator: FirstAdministrator | None) -> bool:
        """Let the default user become this administrator: the account stays, and so does all that belongs to anybody.

        One transaction, made once however many start at a time; says whether it was this one. Raises `ModeRefused`
        where nobody is configured, or where the address is somebody else's.
        """
        if administrator is None:
            message = (
                "people are to log in from now on, and nobody could: set INITIAL_ORG_ADMIN_EMAIL and "
                "INITIAL_ORG_ADMIN_PASSWORD, which the default user then becomes; or set AUTH_TYPE=none again"
            )
            raise ModeRefused(message)
        password_hash = await self._passwords.hash(administrator.password)
        async with self._database.write() as connection:
            organization = await find_organization(connection)
            if organization is None or organization.mode is not AuthMode.NONE:
                return False
            default = await find_default_account(connection)
            account = await _administrator(connection, default, administrator, password_hash)
            await begin_logins(connection)
            await record(
                connection,
                EventKind.ORGANIZATION_CHANGED,
                account=account,
                auth_mode=AuthMode.BASIC.value,
                before=AuthMode.NONE.value,
            )
            await append_invalidation(connection, account_subject(account.id), now=datetime.now(UTC))
        _log.warning("logins_begun", account_id=account.id, email=account.email)
        return True


async def _administrator(
    connection: AsyncConnection, default: Account | None, administrator: FirstAdministrator, password_hash: str
) -> Account:
    known = await find_account_by_email(connection, administrator.email)
    if known is not None and (default is None or known.id != default.id):
        message = (
            f"another account has the e-mail address {administrator.email} already: set INITIAL_ORG_ADMIN_EMAIL to one "
            "that nobody has. The default user becomes this administrator, and no account becomes another"
        )
        raise ModeRefused(message)
    now = datetime.now(UTC)
    email, name = administrator.email, administrator.name
    if default is not None:
        return await become_administrator(
            connection, default.id, email=email, name=name, password_hash=password_hash, now=now
        )
    # Another administrator removed it; an installation needs one all the same.
    return await create_account(
        connection,
        email=email,
        name=name,
        password_hash=password_hash,
        role=OrganizationRole.ADMIN,
        must_change_password=False,
        now=now,
    )
