"""Second factors, their recovery codes, and enrolments that were begun."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, insert, or_, select, update

from gateway.storage.asyncio_engine import AsyncConnection
from gateway.storage.tables import pending_second_factors, recovery_codes, second_factors
from gateway.storage.upsert import upsert

_DIGEST_BYTES = 32


@dataclass(frozen=True, slots=True)
class RecoverySet:
    """The digests of a set of recovery codes, under their one salt."""

    salt: bytes
    digests: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """The factor in force; `secret` is sealed, and codes of `last_step` and before count no more."""

    account_id: str
    secret: bytes
    last_step: int | None
    recovery_salt: bytes
    created_at: datetime


@dataclass(frozen=True, slots=True)
class PendingSecondFactor:
    """An enrolment that was begun; `secret` is sealed. Without digests the codes are made when it is confirmed."""

    account_id: str
    secret: bytes
    recovery: RecoverySet
    expires_at: datetime


async def find_second_factor(connection: AsyncConnection, account_id: str) -> SecondFactor | None:
    statement = select(second_factors).where(second_factors.c.account_id == account_id)
    row = (await connection.execute(statement)).one_or_none()
    if row is None:
        return None
    return SecondFactor(row.account_id, row.secret, row.last_step, row.recovery_salt, row.created_at)


async def replace_second_factor(
    connection: AsyncConnection, factor: SecondFactor, *, recovery_digests: Sequence[bytes]
) -> None:
    """Store the factor that counts from now on, with its codes; the one before is gone."""
    values = {
        "secret": factor.secret,
        "last_step": factor.last_step,
        "recovery_salt": factor.recovery_salt,
        "created_at": factor.created_at,
    }
    await upsert(connection, second_factors, key={"account_id": factor.account_id}, values=values)
    await _replace_codes(connection, factor.account_id, recovery_digests)


async def delete_second_factor(connection: AsyncConnection, account_id: str) -> bool:
    """Delete the factor, its codes and an enrolment that was begun; says whether there was a factor."""
    for table in (recovery_codes, pending_second_factors):
        await connection.execute(delete(table).where(table.c.account_id == account_id))
    statement = delete(second_factors).where(second_factors.c.account_id == account_id)
    return (await connection.execute(statement.returning(second_factors.c.account_id))).first() is not None


async def spend_step(connection: AsyncConnection, account_id: str, step: int) -> bool:
    """Accept a time step once, atomically: only one later than every one accepted before."""
    newer = or_(second_factors.c.last_step.is_(None), second_factors.c.last_step < step)
    statement = update(second_factors).where(second_factors.c.account_id == account_id, newer).values(last_step=step)
    return (await connection.execute(statement.returning(second_factors.c.account_id))).first() is not None


async def replace_recovery_codes(connection: AsyncConnection, account_id: str, recovery: RecoverySet) -> bool:
    """Store a new set; the old one is dead. Says whether there is a factor that it belongs to."""
    statement = (
        update(second_factors)
        .where(second_factors.c.account_id == account_id)
        .values(recovery_salt=recovery.salt)
        .returning(second_factors.c.account_id)
    )
    if (await connection.execute(statement)).first() is None:
        return False
    await _replace_codes(connection, account_id, recovery.digests)
    return True


async def has_recovery_code(connection: AsyncConnection, account_id: str, digest: bytes) -> bool:
    statement = select(recovery_codes.c.account_id).where(
        recovery_codes.c.account_id == account_id, recovery_codes.c.code_digest == digest
    )
    return (await connection.execute(statement)).first() is not None


async def spend_recovery_code(connection: AsyncConnection, account_id: str, digest: bytes) -> bool:
    """Delete a code, atomically: of several who try it, one had it."""
    statement = (
        delete(recovery_codes)
        .where(recovery_codes.c.account_id == account_id, recovery_codes.c.code_digest == digest)
        .returning(recovery_codes.c.account_id)
    )
    return (await connection.execute(statement)).first() is not None


async def count_recovery_codes(connection: AsyncConnection, account_id: str) -> int:
    statement = select(func.count()).select_from(recovery_codes).where(recovery_codes.c.account_id == account_id)
    return (await connection.execute(statement)).scalar_one()


async def store_pending(connection: AsyncConnection, pending: PendingSecondFactor, *, now: datetime) -> None:
    """Store the one enrolment that an account may have begun: the newest."""
    values = {
        "secret": pending.secret,
        "recovery_salt": pending.recovery.salt,
        "recovery_digests": b"".join(pending.recovery.digests),
        "created_at": now,
        "expires_at": pending.expires_at,
    }
    await upsert(connection, pending_second_factors, key={"account_id": pending.account_id}, values=values)


async def find_pending(connection: AsyncConnection, account_id: str, *, now: datetime) -> PendingSecondFactor | None:
    statement = select(pending_second_factors).where(
        pending_second_factors.c.account_id == account_id, pending_second_factors.c.expires_at > now
    )
    row = (await connection.execute(statement)).one_or_none()
    if row is None:
        return None
    joined: bytes = row.recovery_digests
    digests = tuple(joined[start : start + _DIGEST_BYTES] for start in range(0, len(joined), _DIGEST_BYTES))
    return PendingSecondFactor(row.account_id, row.secret, RecoverySet(row.recovery_salt, digests), row.expires_at)


async def delete_pending(connection: AsyncConnection, account_id: str) -> None:
    await connection.execute(delete(pending_second_factors).where(pending_second_factors.c.account_id == account_id))


async def _replace_codes(connection: AsyncConnection, account_id: str, digests: Sequence[bytes]) -> None:
    await connection.execute(delete(recovery_codes).where(recovery_codes.c.account_id == account_id))
    rows = [{"account_id": account_id, "code_digest": digest} for digest in digests]
    if rows:
        await connection.execute(insert(recovery_codes), rows)
