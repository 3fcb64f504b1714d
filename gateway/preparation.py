"""What happens before the first request: tables, organization, administrator, fingerprints of the secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from gateway.audit.events import EventKind, record
from gateway.credentials.passwords import PasswordHashing
from gateway.errors import Conflict, ForeignSecret
from gateway.grammar.email import parse_email
from gateway.models import AuthMode
from gateway.organization.bootstrap import Bootstrap, FirstAdministrator
from gateway.organization.modes import Modes, require_possible
from gateway.storage.migrate import migrate
from gateway.storage.secret_fingerprints import exchange_fingerprint, find_fingerprint, find_fingerprints

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.config.secrets import Secrets
    from gateway.config.settings import Settings
    from gateway.storage.database import Database

_log = structlog.get_logger("gateway.security")

_ADMINISTRATOR_NAME = "Administrator"
_SALT = "api_key_salt"
CONSEQUENCES = {
    "jwt_secret": "everybody is logged out and has to log in again",
    _SALT: "API keys made under the former salt are unknown",
    "encryption_key": (
        "second factors set up under the former key cannot be used: disable and enrol them anew; the audit log up to "
        "here can no longer be verified"
    ),
}


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the preparation did. `setup_link`: nobody can administer yet, and no administrator is configured.

    `logins_begun`: the default user of an installation without logins became the configured administrator.
    """

    administrator_created: bool = False
    logins_begun: bool = False
    setup_link: str | None = None


async def prepare(settings: Settings, secrets: Secrets, database: Database) -> Prepared:
    """Bring a database to where the application can start. Doing it again changes nothing.

    Raises `ModeRefused`, `ForeignSecret` before anything but tables is made.
    """
    await migrate(database)
    passwords = PasswordHashing(threads=1)
    try:
        modes, wanted = Modes(database, passwords), settings.auth_mode
        require_possible(await modes.stored(), wanted)
        await settle_secrets(secrets, database)
        bootstrap = Bootstrap(database, passwords=passwords, token_key=secrets.derive("one-time token"))
        administrator = configured_administrator(settings)
        begun = await _settle_mode(wanted, modes, bootstrap, administrator)
        if wanted is AuthMode.NONE:
            return Prepared()
        created = administrator is not None and await bootstrap.create_administrator(administrator)
        link = None
        if administrator is None and await bootstrap.setup_needed():
            link = f"{settings.public_url}/setup?token={await bootstrap.make_setup_token()}"
        return Prepared(administrator_created=created, logins_begun=begun, setup_link=link)
    finally:
        passwords.close()


async def _settle_mode(
    wanted: AuthMode, modes: Modes, bootstrap: Bootstrap, administrator: FirstAdministrator | None
) -> bool:
    """Let the stored mode be the wanted one; says whether that began the logins. Others may start at the same time."""
    begun = False
    while (stored := await modes.stored()) is not wanted:
        require_possible(stored, wanted)
        if stored is None:
            await bootstrap.create_organization(wanted)
        else:
            begun = await modes.begin_logins(administrator)
    return begun


def configured_administrator(settings: Settings) -> FirstAdministrator | None:
    email, password = settings.basic_auth.initial_org_admin_email, settings.basic_auth.initial_org_admin_password
    if email is None or password is None:
        return None
    return FirstAdministrator(parse_email(email), _ADMINISTRATOR_NAME, password.get_secret_value())


async def settle_secrets(secrets: Secrets, database: Database) -> None:
    """Hold that this database is used with the secrets that it was used with before.

    A configured secret was changed by somebody: what that ended is said, for nothing else would tell. A generated one
    that differs was made by a process that did not find the first. Raises `ForeignSecret`.
    """
    fingerprints = secrets.fingerprints()
    if await database.ask(find_fingerprints) == fingerprints:
        return
    # In one transaction: of two first starts at once with different secrets, one finds all three of the other.
    async with database.write() as connection:
        known = await find_fingerprints(connection)
        foreign = [name for name in differing(known, fingerprints) if secrets.origins[name].file is not None]
        if foreign:
            raise ForeignSecret(_foreign_message(secrets, foreign))
        changed = await store_fingerprints(connection, secrets)
    for name in changed:
        _log.warning(f"{name}_changed", consequence=CONSEQUENCES[name])


def differing(known: Mapping[str, str], fingerprints: Mapping[str, str]) -> list[str]:
    """Give the names of the secrets that are not the known ones; what was never known differs from nothing."""
    return [name for name, fingerprint in fingerprints.items() if known.get(name, fingerprint) != fingerprint]


async def store_fingerprints(connection: AsyncConnection, secrets: Secrets) -> list[str]:
    """Let these be the secrets of the database from now on; gives the names of those that others were before."""
    changed = []
    for name, fingerprint in secrets.fingerprints().items():
        before = await exchange_fingerprint(connection, name, fingerprint=fingerprint, now=datetime.now(UTC))
        if before not in (None, fingerprint):
            await record(connection, EventKind.SECRET_CHANGED, secret=name)
            changed.append(name)
    return changed


def _foreign_message(secrets: Secrets, names: Sequence[str]) -> str:
    origins = [secrets.origins[name] for name in names]
    files = ", ".join(str(origin.file) for origin in origins)
    variables = ", ".join(origin.variable for origin in origins)
    it, one = ("them", "ones") if len(names) > 1 else ("it", "one")
    return (
        f"this database was used with other secrets than those generated in {files}. Replicas with different secrets "
        f"would log each other's people out. Copy {it} from the machine that made the first {one}, or set {variables} "
        f"alike on all; if the first {one} cannot be found any more, run `gateway secrets accept`"
    )


async def require_salt_of_gateway(secrets: Secrets, database: Database) -> None:
    """Raise `Conflict` where keys made here would be unknown to the gateway that uses this database."""
    async with database.read() as connection:
        known = await find_fingerprint(connection, _SALT)
    if known not in (None, secrets.fingerprints()[_SALT]):
        message = (
            "the API-key salt differs from the one that the gateway started with, so it would not know the key: "
            "give this command the same configuration and environment"
        )
        raise Conflict(message)
