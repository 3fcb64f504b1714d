"""The sessions, found by a keyed digest of their token or by their stable id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, delete, insert, select, union, update

from gateway.models import Account, Session
from gateway.storage.accounts import account_from_row
from gateway.storage.asyncio_engine import AsyncConnection
from gateway.storage.tables import accounts, challenges, sessions


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session and where its login came from."""

    session: Session
    client_address: str | None
    user_agent: str | None


# Beside an account's columns, two of which have the same names.
SESSION_COLUMNS: tuple[ColumnElement[Any], ...] = (
    sessions.c.id.label("session_id"),
    sessions.c.account_id,
    sessions.c.created_at.label("session_created_at"),
    sessions.c.last_seen_at,
    sessions.c.expires_at,
    sessions.c.idle_timeout_seconds,
    sessions.c.level,
    sessions.c.second_factor_at,
    sessions.c.remembered,
)
_SELECT = (
    select(accounts, *SESSION_COLUMNS).select_from(sessions).join(accounts, accounts.c.id == sessions.c.account_id)
)
_BY_ID = _SELECT.where(sessions.c.id == bindparam("wanted"))
_TOUCH = (
    update(sessions)
    .where(sessions.c.id == bindparam("wanted"), sessions.c.last_seen_at < bindparam("seen_at"))
    .values(last_seen_at=bindparam("seen_at"))
)


async def find_session(connection: AsyncConnection, session_id: str) -> tuple[Session, Account] | None:
    row = (await connection.execute(_BY_ID, {"wanted": session_id})).one_or_none()
    return None if row is None else (session_from_row(row), account_from_row(row))


async def insert_session(
    connection: AsyncConnection,
    session: Session,
    *,
    token_digest: bytes,
    client_address: str | None,
    user_agent: str | None,
) -> None:
    await connection.execute(
        insert(sessions).values(
            id=session.id,
            account_id=session.account_id,
            token_digest=token_digest,
            level=session.level,
            second_factor_at=session.second_factor_at,
            remembered=session.remembered,
            idle_timeout_seconds=int(session.idle_timeout.total_seconds()),
            created_at=session.created_at,
            last_seen_at=session.last_seen_at,
            expires_at=session.expires_at,
            client_address=client_address,
            user_agent=user_agent,
        )
    )


async def list_sessions(connection: AsyncConnection, account_id: str | None = None) -> list[StoredSession]:
    """Give an account's sessions, or everybody's, the newest first; some may have expired."""
    statement = select(*SESSION_COLUMNS, sessions.c.client_address, sessions.c.user_agent)
    statement = statement.order_by(sessions.c.created_at.desc(), sessions.c.id)
    if account_id is not None:
        statement = statement.where(sessions.c.account_id == account_id)
    rows = await connection.execute(statement)
    return [StoredSession(session_from_row(row), row.client_address, row.user_agent) for row in rows]


async def list_accounts_logged_in(connection: AsyncConnection) -> list[str]:
    """Give the ids of the accounts that have sessions, or logins that wait for a second factor."""
    statement = union(select(sessions.c.account_id), select(challenges.c.account_id))
    return list((await connection.execute(statement)).scalars())


async def touch_sessions(connection: AsyncConnection, seen: Mapping[str, datetime]) -> None:
    """Write when sessions were last used; a later moment already stored by another process stays."""
    await connection.execute(_TOUCH, [{"wanted": session_id, "seen_at": at} for session_id, at in seen.items()])


async def replace_token(connection: AsyncConnection, session_id: str, *, token_digest: bytes) -> bool:
    """Give a session a new token; the old one is dead with the commit. Says whether the session was there."""
    statement = update(sessions).where(sessions.c.id == session_id).values(token_digest=token_digest)
    return (await connection.execute(statement.returning(sessions.c.id))).first() is not None


async def set_second_factor(
    connection: AsyncConnection, session_id: str, *, level: int, second_factor_at: datetime | None
) -> bool:
    """Say how many factors a session stands for, and when the second one was last proven; `False`: it has ended."""
    statement = update(sessions).where(sessions.c.id == session_id)
    statement = statement.values(level=level, second_factor_at=second_factor_at)
    return (await connection.execute(statement.returning(sessions.c.id))).first() is not None


async def delete_session(connection: AsyncConnection, session_id: str) -> str | None:
    """Delete one session, with its refresh tokens; gives the id of its account, if it was there."""
    statement = delete(sessions).where(sessions.c.id == session_id).returning(sessions.c.account_id)
    return (await connection.execute(statement)).scalar_one_or_none()


async def delete_sessions_of(connection: AsyncConnection, account_id: str, *, keep: str | None = None) -> list[str]:
    """Delete an account's sessions but for the one to keep; returns the ids of the deleted ones."""
    statement = delete(sessions).where(sessions.c.account_id == account_id)
    if keep is not None:
        statement = statement.where(sessions.c.id != keep)
    return list((await connection.execute(statement.returning(sessions.c.id))).scalars())


def session_from_row(row: Row[*tuple[Any, ...]]) -> Session:
    return Session(
        id=row.session_id,
        account_id=row.account_id,
        created_at=row.session_created_at,
        last_seen_at=row.last_seen_at,
        expires_at=row.expires_at,
        idle_timeout=timedelta(seconds=row.idle_timeout_seconds),
        level=row.level,
        second_factor_at=row.second_factor_at,
        remembered=row.remembered,
    )
