"""Addresses that may not try secrets for a while."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, or_, select

from gateway.storage.asyncio_engine import AsyncConnection
from gateway.storage.tables import banned_addresses
from gateway.storage.upsert import upsert


@dataclass(frozen=True, slots=True)
class BannedAddress:
    """An address, or an IPv6 network; without an end it is banned until somebody unbans it."""

    address: str
    reason: str
    created_at: datetime
    expires_at: datetime | None


async def ban_address(connection: AsyncConnection, ban: BannedAddress) -> None:
    """Ban, or change the ban that is there."""
    values = {"reason": ban.reason, "created_at": ban.created_at, "expires_at": ban.expires_at}
    await upsert(connection, banned_addresses, key={"address": ban.address}, values=values)


async def unban_address(connection: AsyncConnection, address: str) -> bool:
    """Lift a ban; says whether there was one."""
    statement = delete(banned_addresses).where(banned_addresses.c.address == address)
    return (await connection.execute(statement.returning(banned_addresses.c.address))).first() is not None


async def list_banned_addresses(connection: AsyncConnection, *, now: datetime) -> list[BannedAddress]:
    statement = select(banned_addresses).where(_counts(now)).order_by(banned_addresses.c.created_at)
    rows = await connection.execute(statement)
    return [BannedAddress(row.address, row.reason, row.created_at, row.expires_at) for row in rows]


async def address_is_banned(connection: AsyncConnection, address: str, *, now: datetime) -> bool:
    statement = select(banned_addresses.c.address).where(banned_addresses.c.address == address, _counts(now))
    return (await connection.execute(statement)).first() is not None


def _counts(now: datetime) -> ColumnElement[bool]:
    return or_(banned_addresses.c.expires_at.is_(None), banned_addresses.c.expires_at > now)
