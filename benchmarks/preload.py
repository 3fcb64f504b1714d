"""Fill a database with people and what proves them, so that a gateway on it accepts all of it.

`python -m benchmarks.preload --sessions 1000000 credentials.json` takes the options and the environment of `gateway
serve`. Every credential is digested by the product's own parts; only the rows are written many at a time.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

import click
from sqlalchemy import Table, insert

from gateway.commands.event_loop import run_async
from gateway.commands.settings_options import with_settings
from gateway.config.database_url import SqliteFile
from gateway.config.loading import LoadedSettings, load_settings
from gateway.config.secrets import load_secrets
from gateway.config.settings import Settings
from gateway.credentials.passwords import PasswordHashing
from gateway.credentials.session_tokens import make_token
from gateway.grammar.group_names import canonical_group_name
from gateway.models import OrganizationRole
from gateway.preparation import prepare
from gateway.storage.database import Database
from gateway.storage.tables import accounts, api_keys, group_members, groups, sessions, workspace_members
from gateway.storage.workspaces import list_workspaces, usual_workspace_role
from gateway.wiring.parts import Parts, make_parts

PASSWORD = "mint grows on the wall"  # noqa: S105 - of accounts that live as long as one measurement

_BATCH = 20_000
_TRANSACTION = 200_000
# All rows of a table with random keys are touched at random: a cache smaller than the indexes would be read again.
_CACHE = "PRAGMA cache_size=-262144"
_USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
# One moment for all would be a kinder index than real ones.
_APART = timedelta(milliseconds=3)


@dataclass(frozen=True, slots=True)
class Amounts:
    """How many of each. Sessions, keys and tokens go round the members; each member is in all groups."""

    members: int = 1000
    sessions: int = 0
    api_keys: int = 0
    access_tokens: int = 0
    groups_per_member: int = 0


@dataclass(frozen=True, slots=True)
class Credentials:
    """What was made: values of the session cookie, keys, access tokens, and whom one can log in as with `PASSWORD`."""

    sessions: list[str]
    api_keys: list[str]
    access_tokens: list[str]
    emails: list[str]


def preload(environ: Mapping[str, str], amounts: Amounts, *, config: Path | None = None) -> Credentials:
    """Fill the database that a gateway with this environment has; it may run already."""
    return asyncio.run(fill(load_settings(config, (), environ).settings, amounts))


async def fill(settings: Settings, amounts: Amounts) -> Credentials:
    own_secrets = load_secrets(settings)
    async with Database.opened(settings.database) as database:
        await prepare(settings, own_secrets, database)
        filling = _Filling(database, make_parts(settings, own_secrets, database), settings, datetime.now(UTC))
        members = await filling.add_members(amounts)
        session_ids, session_tokens = await filling.add_sessions(members, max(amounts.sessions, amounts.access_tokens))
        return Credentials(
            sessions=session_tokens[: amounts.sessions],
            api_keys=await filling.add_api_keys(members, amounts.api_keys),
            access_tokens=filling.sign_access_tokens(members, session_ids[: amounts.access_tokens]),
            emails=list(members.values()),
        )


@dataclass(frozen=True, slots=True)
class _Filling:
    database: Database
    parts: Parts
    settings: Settings
    now: datetime

    async def add_members(self, amounts: Amounts) -> dict[str, str]:
        """Add people, all with one password, to the first workspace and their groups; gives addresses by id."""
        passwords = PasswordHashing(threads=1)
        password_hash = await passwords.hash(PASSWORD)
        passwords.close()
        mark = secrets.token_hex(3)
        members = {str(uuid4()): f"member{number}-{mark}@example.com" for number in range(amounts.members)}
        async with self.database.read() as connection:
            workspace = (await list_workspaces(connection))[0]
        joined = {"workspace_id": workspace.id, "role": usual_workspace_role(OrganizationRole.USER).value}
        group_ids = [str(uuid4()) for _ in range(amounts.groups_per_member)]
        await self._insert(accounts, (self._account(*member, password_hash) for member in members.items()))
        await self._insert(
            workspace_members, ({**joined, "account_id": member, "created_at": self.now} for member in members)
        )
        await self._insert(
            groups, (self._group(group, f"team-{mark}-{number}") for number, group in enumerate(group_ids))
        )
        await self._insert(
            group_members,
            ({"group_id": group, "account_id": member} for member in members for group in group_ids),
        )
        return members

    async def add_sessions(self, members: Mapping[str, str], amount: int) -> tuple[list[str], list[str]]:
        """Add open sessions; gives their ids and their tokens."""
        ids = [str(uuid4()) for _ in range(amount)]
        tokens = [make_token() for _ in range(amount)]
        owners = _around(list(members), amount)
        digest, session = self.parts.sessions.digest, self.settings.session

        def rows() -> Iterator[dict[str, Any]]:
            for number, (session_id, token, owner) in enumerate(zip(ids, tokens, owners, strict=True)):
                began_at = self.now - _APART * (number % 100_000)
                yield {
                    "id": session_id,
                    "account_id": owner,
                    "token_digest": digest(token),
                    "level": 1,
                    "idle_timeout_seconds": int(session.idle_timeout.total_seconds()),
                    "created_at": began_at,
                    "last_seen_at": began_at,
                    "expires_at": began_at + session.lifetime,
                    "remembered": False,
                    "client_address": "203.0.113.7",
                    "user_agent": _USER_AGENT,
                }

        await self._insert(sessions, rows(), total=amount)
        return ids, tokens

    async def add_api_keys(self, members: Mapping[str, str], amount: int) -> list[str]:
        key_format, digest = self.parts.api_keys.formats.personal, self.parts.api_keys.digest
        keys = [key_format.make() for _ in range(amount)]

        def rows() -> Iterator[dict[str, Any]]:
            for key, owner in zip(keys, _around(list(members), amount), strict=True):
                yield {
                    "id": str(uuid4()),
                    "account_id": owner,
                    "name": "benchmark",
                    "prefix": key_format.shown_part(key),
                    "key_digest": digest(key),
                    "scopes": "[]",
                    "created_at": self.now,
                }

        await self._insert(api_keys, rows(), total=amount)
        return keys

    def sign_access_tokens(self, members: Mapping[str, str], session_ids: Sequence[str]) -> list[str]:
        """Sign one for each session; they live as long as the settings say."""
        sign = self.parts.access_tokens.sign
        return [
            sign(subject=owner, session_id=session_id, now=self.now, profile={"email": members[owner]})
            for session_id, owner in zip(session_ids, _around(list(members), len(session_ids)), strict=True)
        ]

    def _account(self, account_id: str, email: str, password_hash: str) -> dict[str, Any]:
        return {
            "id": account_id,
            "email": email,
            "name": f"Member {email.partition('-')[0][6:]}",
            "password_hash": password_hash,
            "role": OrganizationRole.USER.value,
            "email_verified": True,
            "must_change_password": False,
            "logged_in_at": self.now,
            "created_at": self.now,
            "updated_at": self.now,
        }

    def _group(self, group_id: str, name: str) -> dict[str, Any]:
        return {"id": group_id, "name": name, "canonical_name": canonical_group_name(name), "created_at": self.now}

    async def _insert(self, table: Table, rows: Iterator[dict[str, Any]], *, total: int = 0) -> None:
        """Insert many at a time, in few transactions; what takes long says how far it is."""
        began, done = time.monotonic(), 0
        while transaction := list(islice(rows, _TRANSACTION)):
            async with self.database.write() as connection:
                if isinstance(self.settings.database, SqliteFile):
                    await connection.exec_driver_sql(_CACHE)
                for start in range(0, len(transaction), _BATCH):
                    await connection.execute(insert(table), transaction[start : start + _BATCH])
            done += len(transaction)
            if total > _TRANSACTION:
                click.echo(f"  {table.name}: {done:,} of {total:,} after {time.monotonic() - began:.0f} s", err=True)


def _around(members: Sequence[str], amount: int) -> Iterator[str]:
    return (members[number % len(members)] for number in range(amount))


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--members", type=click.IntRange(1), default=1000, show_default=True)
@click.option("--sessions", "session_count", type=click.IntRange(0), default=1000, show_default=True)
@click.option("--api-keys", "api_key_count", type=click.IntRange(0), default=0, show_default=True)
@click.option("--access-tokens", type=click.IntRange(0), default=0, show_default=True, help="Each has a session.")
@click.option("--groups-per-member", type=click.IntRange(0), default=0, show_default=True)
@with_settings
def main(  # noqa: PLR0913 - one argument per option
    loaded: LoadedSettings,
    *,
    file: Path,
    members: int,
    session_count: int,
    api_key_count: int,
    access_tokens: int,
    groups_per_member: int,
) -> None:
    """Fill the database of a gateway, and write the credentials to FILE, as JSON. Never use it on a real one."""
    amounts = Amounts(
        members=members,
        sessions=session_count,
        api_keys=api_key_count,
        access_tokens=access_tokens,
        groups_per_member=groups_per_member,
    )
    file.touch(mode=0o600)
    file.write_text(json.dumps(asdict(run_async(fill(loaded.settings, amounts)))))


if __name__ == "__main__":
    main()
