"""What has expired: rows that change no answer any more, found and removed some at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, and_, delete, exists, func, or_, select

from gateway.models import OrganizationRole
from gateway.storage.asyncio_engine import AsyncConnection
from gateway.storage.tables import (
    accounts,
    api_keys,
    banned_addresses,
    challenges,
    invalidations,
    login_failures,
    one_time_tokens,
    outbox,
    pending_second_factors,
    refresh_families,
    sessions,
)

_SENT_MAIL_KEPT_FOR = timedelta(days=1)

Condition = Callable[[datetime], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class ExpiredRows:
    """Rows of one table, by its primary key, that fulfil a condition at a moment."""

    key: Column[Any]
    condition: Condition

    @property
    def name(self) -> str:
        return self.key.table.name

    async def finds(self, connection: AsyncConnection, *, now: datetime) -> bool:
        return (await connection.execute(select(self.key).where(self.condition(now)).limit(1))).first() is not None

    async def remove(self, connection: AsyncConnection, *, now: datetime, limit: int) -> int:
        """Remove at most so many; returns how many."""
        some = select(self.key).where(self.condition(now)).limit(limit)
        # No dialect's DELETE has a LIMIT that the other one understands.
        return (await connection.execute(delete(self.key.table).where(self.key.in_(some)))).rowcount


def expired_rows(*, failures_forgotten_after: timedelta, invalidations_kept_for: timedelta) -> tuple[ExpiredRows, ...]:
    """Give everything with a moment after which it is not looked at."""
    newest_invalidation = select(func.max(invalidations.c.number)).scalar_subquery()
    return (
        ExpiredRows(sessions.c.id, lambda now: sessions.c.expires_at <= now),
        # Only generations and a nonce: without the family a refresh token is as unknown as one that has expired.
        ExpiredRows(refresh_families.c.session_id, lambda now: refresh_families.c.expires_at <= now),
        ExpiredRows(challenges.c.id, lambda now: challenges.c.expires_at <= now),
        ExpiredRows(pending_second_factors.c.account_id, lambda now: pending_second_factors.c.expires_at <= now),
        ExpiredRows(one_time_tokens.c.token_digest, lambda now: one_time_tokens.c.expires_at <= now),
        ExpiredRows(banned_addresses.c.address, lambda now: banned_addresses.c.expires_at <= now),
        ExpiredRows(
            login_failures.c.account_key, lambda now: login_failures.c.last_failed_at <= now - failures_forgotten_after
        ),
        ExpiredRows(
            invalidations.c.number,
            # The newest is kept: whoever was the last to read the log has to find its end again.
            lambda now: and_(
                invalidations.c.created_at <= now - invalidations_kept_for, invalidations.c.number < newest_invalidation
            ),
        ),
        ExpiredRows(
            outbox.c.id,
            lambda now: or_(
                outbox.c.sent_at <= now - _SENT_MAIL_KEPT_FOR,
                # Later than the sender, who says of each letter that it is given up. Without a transport there is none.
                and_(outbox.c.sent_at.is_(None), outbox.c.expires_at <= now - _SENT_MAIL_KEPT_FOR),
            ),
        ),
    )


async def list_idle_timeouts(connection: AsyncConnection) -> Sequence[timedelta]:
    """List the idle timeouts that sessions have: one for each setting that was in force when they were opened."""
    found = await connection.execute(select(sessions.c.idle_timeout_seconds).distinct())
    return [timedelta(seconds=seconds) for seconds in found.scalars()]


def idle_sessions(idle_timeout: timedelta, *, margin: timedelta) -> ExpiredRows:
    """Give the sessions with this timeout that nobody has used for it and the margin."""
    same_timeout = sessions.c.idle_timeout_seconds == int(idle_timeout.total_seconds())
    return ExpiredRows(
        sessions.c.id, lambda now: and_(same_timeout, sessions.c.last_seen_at <= now - idle_timeout - margin)
    )


async def find_abandoned_registration(connection: AsyncConnection, *, before: datetime, now: datetime) -> bool:
    """Say whether there is an account to be forgotten."""
    statement = select(accounts.c.id).where(_abandoned(before, now)).limit(1)
    return (await connection.execute(statement)).first() is not None


async def delete_abandoned_registrations(
    connection: AsyncConnection, *, before: datetime, now: datetime, limit: int
) -> list[tuple[str, str]]:
    """Delete some accounts that registered themselves before a moment and went no further; returns id and e-mail."""
    some = select(accounts.c.id).where(_abandoned(before, now)).limit(limit)
    deleted = delete(accounts).where(accounts.c.id.in_(some)).returning(accounts.c.id, accounts.c.email)
    return [(row.id, row.email) for row in await connection.execute(deleted)]


def _abandoned(before: datetime, now: datetime) -> ColumnElement[bool]:
    """Leave whoever has logged in, has a link that is still good, or has a role, a key or a ban by an administrator."""
    of_account = one_time_tokens.c.account_id == accounts.c.id
    return and_(
        accounts.c.registered_at <= before,
        accounts.c.email_verified.is_(False),
        accounts.c.logged_in_at.is_(None),
        accounts.c.role == OrganizationRole.USER,
        accounts.c.disabled_at.is_(None),
        or_(accounts.c.banned_until.is_(None), accounts.c.banned_until <= now),
        ~exists().where(of_account, one_time_tokens.c.expires_at > now),
        ~exists().where(api_keys.c.account_id == accounts.c.id),
    )
