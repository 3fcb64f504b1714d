"""Consecutive failed logins of an account, by a digest of the name that was given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, select

from gateway.storage.asyncio_engine import AsyncConnection
from gateway.storage.tables import login_failures
from gateway.storage.upsert import upsert

_BY_KEY = select(login_failures).where(login_failures.c.account_key == bindparam("wanted"))


@dataclass(frozen=True, slots=True)
class LoginFailures:
    failures: int
    last_failed_at: datetime
    paused_until: datetime | None


async def find_login_failures(connection: AsyncConnection, account_key: bytes) -> LoginFailures | None:
    row = (await connection.execute(_BY_KEY, {"wanted": account_key})).one_or_none()
    return None if row is None else LoginFailures(row.failures, row.last_failed_at, row.paused_until)


async def store_login_failures(connection: AsyncConnection, account_key: bytes, entry: LoginFailures) -> None:
    values = {
        "failures": entry.failures,
        "last_failed_at": entry.last_failed_at,
        "paused_until": entry.paused_until,
    }
    await upsert(connection, login_failures, key={"account_key": account_key}, values=values)


async def clear_login_failures(connection: AsyncConnection, account_key: bytes) -> None:
    await connection.execute(delete(login_failures).where(login_failures.c.account_key == account_key))
