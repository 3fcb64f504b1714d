"""What has expired goes, in small transactions; what has not, stays."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog
import time_machine
from sqlalchemy import Table, insert, select

from gateway.audit.retention import AuditRetention
from gateway.cleaning import BATCH, IDLE_MARGIN, Cleaning, IdleSessions, Step
from gateway.registration.abandoned import AbandonedRegistrations
from gateway.storage import tables
from gateway.storage.database import Database
from gateway.storage.expired import expired_rows
from gateway.throttle.logins import FORGOTTEN_AFTER
from tests.support.audit import BEGAN_AT, SEALS, make_log, verified
from tests.support.database import Disk, add_account, append, invalidated

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
IDLE = timedelta(hours=12)
LOG_KEPT = timedelta(minutes=10)


def _steps() -> list[Step]:
    return [
        *expired_rows(failures_forgotten_after=FORGOTTEN_AFTER, invalidations_kept_for=LOG_KEPT),
        IdleSessions(),
        AbandonedRegistrations(),
        AuditRetention(seals=SEALS, retention=timedelta(days=365)),
    ]


@pytest.fixture
def cleaning(database: Database) -> Cleaning:
    return Cleaning(database, steps=_steps())


@pytest.fixture
async def ada(database: Database) -> str:
    return (await add_account(database)).id


async def _add(database: Database, table: Table, *rows: dict[str, Any]) -> None:
    async with database.write() as connection:
        await connection.execute(insert(table), list(rows))


async def _keys(database: Database, table: Table) -> Sequence[Any]:
    async with database.read() as connection:
        return (
            (await connection.execute(select(table.primary_key.columns[0]).order_by(table.primary_key.columns[0])))
            .scalars()
            .all()
        )


def _session(name: str, account_id: str, **values: datetime | int) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "id": name,
        "account_id": account_id,
        "token_digest": name.encode(),
        "level": 1,
        "idle_timeout_seconds": int(IDLE.total_seconds()),
        "created_at": now,
        "last_seen_at": now,
        "expires_at": now + DAY,
        **values,
    }


async def test_sessions_go_after_their_end_with_their_refresh_families(
    database: Database, cleaning: Cleaning, ada: str
) -> None:
    now = datetime.now(UTC)
    ended, going_on = _session("ended", ada, expires_at=now - SECOND), _session("going on", ada, expires_at=now + DAY)
    await _add(database, tables.sessions, ended, going_on)
    family = {"nonce": b"n", "generation": 1, "superseded": "[]", "expires_at": now + DAY}
    await _add(database, tables.refresh_families, *({"session_id": one["id"], **family} for one in (ended, going_on)))
    await cleaning.clean()
    assert await _keys(database, tables.sessions) == ["going on"]
    assert await _keys(database, tables.refresh_families) == ["going on"]


async def test_idle_sessions_stay_for_the_margin(database: Database, cleaning: Cleaning, ada: str) -> None:
    """Uses are written half a minute later: a session that looks idle may be in use."""
    now = datetime.now(UTC)
    week = timedelta(days=7)
    await _add(
        database,
        tables.sessions,
        _session("idle", ada, last_seen_at=now - IDLE - IDLE_MARGIN - SECOND),
        _session("in the margin", ada, last_seen_at=now - IDLE - IDLE_MARGIN + 60 * SECOND),
        _session("remembered", ada, last_seen_at=now - IDLE - DAY, idle_timeout_seconds=int(week.total_seconds())),
        _session(
            "forgotten",
            ada,
            last_seen_at=now - week - IDLE_MARGIN - SECOND,
            idle_timeout_seconds=int(week.total_seconds()),
        ),
    )
    await cleaning.clean()
    assert await _keys(database, tables.sessions) == ["in the margin", "remembered"]


def _rows_of(table: Table, account_id: str, moment: datetime) -> dict[str, Any]:
    """Give a row whose moment this is; its name is the sign that it is to stay or to go."""
    now = datetime.now(UTC)
    rest: dict[str, dict[str, Any]] = {
        "challenges": {"account_id": account_id, "remember_me": False, "failures": 0, "created_at": now},
        "one_time_tokens": {"purpose": "test", "created_at": now},
        "banned_addresses": {"reason": "test", "created_at": now},
        "login_failures": {"failures": 3},
    }
    if table is tables.login_failures:
        return {**rest[table.name], "last_failed_at": moment - FORGOTTEN_AFTER}
    return {**rest[table.name], "expires_at": moment}


@pytest.mark.parametrize(
    ("table", "key"),
    [
        (tables.challenges, "id"),
        (tables.one_time_tokens, "token_digest"),
        (tables.banned_addresses, "address"),
        (tables.login_failures, "account_key"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
async def test_rows_go_after_their_moment_and_not_before(
    database: Database, cleaning: Cleaning, ada: str, table: Table, key: str
) -> None:
    now = datetime.now(UTC)
    names: list[Any] = ["gone", "stays"]
    if key in {"token_digest", "account_key"}:
        names = [name.encode() for name in names]
    rows: list[dict[str, Any]] = []
    for name, moment in zip(names, (now - SECOND, now + 60 * SECOND), strict=True):
        row = {key: name, **_rows_of(table, ada, moment)}
        if table is tables.challenges:
            row["token_digest"] = name.encode()
        rows.append(row)
    await _add(database, table, *rows)
    await cleaning.clean()
    assert await _keys(database, table) == names[1:]


async def test_ban_without_an_end_stays(database: Database, cleaning: Cleaning) -> None:
    row = {"address": "192.0.2.1", "reason": "test", "created_at": datetime.now(UTC), "expires_at": None}
    await _add(database, tables.banned_addresses, row)
    await cleaning.clean()
    assert await _keys(database, tables.banned_addresses) == ["192.0.2.1"]


async def test_pending_enrolments_go_after_their_moment(database: Database, cleaning: Cleaning, ada: str) -> None:
    bob, now = (await add_account(database, "bob@example.com")).id, datetime.now(UTC)
    rest = {"secret": b"s", "recovery_salt": b"s", "recovery_digests": b"d", "created_at": now}
    await _add(
        database,
        tables.pending_second_factors,
        {"account_id": ada, "expires_at": now - SECOND, **rest},
        {"account_id": bob, "expires_at": now + 60 * SECOND, **rest},
    )
    await cleaning.clean()
    assert await _keys(database, tables.pending_second_factors) == [bob]


async def test_refresh_families_go_before_their_session(database: Database, cleaning: Cleaning, ada: str) -> None:
    now = datetime.now(UTC)
    await _add(database, tables.sessions, _session("s1", ada), _session("s2", ada))
    rest = {"nonce": b"n", "generation": 1, "superseded": "[]"}
    await _add(
        database,
        tables.refresh_families,
        {"session_id": "s1", "expires_at": now - SECOND, **rest},
        {"session_id": "s2", "expires_at": now + 60 * SECOND, **rest},
    )
    await cleaning.clean()
    assert await _keys(database, tables.refresh_families) == ["s2"]
    assert await _keys(database, tables.sessions) == ["s1", "s2"]


async def test_invalidations_go_when_no_fact_is_so_old_but_never_the_newest(
    database: Database, cleaning: Cleaning
) -> None:
    """Whoever read the log last has to find its end again."""
    now = datetime.now(UTC)
    await append(database, "a", "b", at=now - LOG_KEPT - SECOND)
    await append(database, "c", at=now - LOG_KEPT + 60 * SECOND)
    await cleaning.clean()
    assert await invalidated(database) == ("c",)
    with time_machine.travel(now + DAY):
        await cleaning.clean()
    assert await invalidated(database) == ("c",)


async def test_mail_goes_a_day_after_it_was_sent_or_given_up(database: Database, cleaning: Cleaning) -> None:
    now = datetime.now(UTC)

    def letter(name: str, *, sent_at: datetime | None, expires_at: datetime) -> dict[str, Any]:
        return {
            "id": name,
            "kind": "test",
            "letter": None if sent_at else b"sealed",
            "created_at": now,
            "expires_at": expires_at,
            "next_attempt_at": now,
            "attempts": 1,
            "sent_at": sent_at,
        }

    await _add(
        database,
        tables.outbox,
        letter("sent long ago", sent_at=now - DAY - SECOND, expires_at=now + DAY),
        letter("sent", sent_at=now - DAY + 60 * SECOND, expires_at=now - 2 * DAY),
        letter("given up", sent_at=None, expires_at=now - DAY - SECOND),
        letter("just expired", sent_at=None, expires_at=now - SECOND),
        letter("waits", sent_at=None, expires_at=now + DAY),
    )
    await cleaning.clean()
    assert await _keys(database, tables.outbox) == ["just expired", "sent", "waits"]


async def _register(database: Database, name: str, **values: datetime | bool | str | None) -> None:
    now = datetime.now(UTC)
    row = {
        "id": name,
        "email": f"{name}@example.com",
        "name": name,
        "role": "Organization User",
        "email_verified": False,
        "must_change_password": False,
        "registered_at": now - 7 * DAY - SECOND,
        "created_at": now,
        "updated_at": now,
        **values,
    }
    await _add(database, tables.accounts, row)


async def test_registrations_that_went_no_further_go_after_a_week(database: Database, cleaning: Cleaning) -> None:
    now = datetime.now(UTC)
    await _register(database, "abandoned")
    await _register(database, "young", registered_at=now - 7 * DAY + 60 * SECOND)
    await _register(database, "added", registered_at=None)
    await _register(database, "verified", email_verified=True)
    await _register(database, "in-use", logged_in_at=now - 6 * DAY)
    await _register(database, "disabled", disabled_at=now)
    await _register(database, "banned", banned_until=now + DAY)
    # Perhaps the last one: an administrator is never lost on any path.
    await _register(database, "administrator", role="Organization Admin")
    await _register(database, "was-banned", banned_until=now - DAY)
    for name, moment in (("invited", now + 60 * SECOND), ("late", now - SECOND)):
        await _register(database, name)
        token = {"token_digest": name.encode(), "purpose": "verify email", "account_id": name}
        await _add(database, tables.one_time_tokens, {**token, "created_at": now, "expires_at": moment})
    await _register(database, "with-key")
    key = {"id": "k1", "account_id": "with-key", "name": "k", "prefix": "p", "key_digest": b"d", "scopes": "[]"}
    await _add(database, tables.api_keys, {**key, "created_at": now})
    await cleaning.clean()
    stay = ["added", "administrator", "banned", "disabled", "in-use", "invited", "verified", "with-key", "young"]
    assert await _keys(database, tables.accounts) == stay


async def test_registration_that_goes_is_audited_and_announced(database: Database, cleaning: Cleaning) -> None:
    await _register(database, "abandoned")
    await cleaning.clean()
    async with database.read() as connection:
        event = (await connection.execute(select(tables.audit_events))).one()
        subjects = (await connection.execute(select(tables.invalidations.c.subject))).scalars().all()
    assert (event.kind, event.email, event.actor) == ("account_expired", "abandoned@example.com", "gateway")
    assert json.loads(event.details) == {}
    assert len(subjects) == 1
    assert "abandoned" in subjects[0]


async def test_audit_events_go_with_the_retention(database: Database, cleaning: Cleaning) -> None:
    await make_log(database, segments=3, of=10)
    with time_machine.travel(BEGAN_AT + timedelta(days=365, hours=1), tick=False):
        await cleaning.clean()
    assert (await verified(database)).rows == 20


async def _add_tokens(database: Database, count: int) -> None:
    now = datetime.now(UTC)
    rows = (
        {"token_digest": str(number).encode(), "purpose": "test", "created_at": now, "expires_at": now - SECOND}
        for number in range(count)
    )
    await _add(database, tables.one_time_tokens, *rows)


async def test_batches_are_bounded_and_each_is_a_transaction(
    database: Database, cleaning: Cleaning, disk: Disk
) -> None:
    await _add_tokens(database, 2 * BATCH + 1)
    disk.statements.clear()
    await cleaning.clean()
    assert await _keys(database, tables.one_time_tokens) == []
    assert len([one for one in disk.statements if one.startswith("DELETE FROM one_time_tokens")]) == 3
    assert disk.statements.count("BEGIN IMMEDIATE") == 3


async def test_login_waits_for_one_batch_at_most(database: Database, cleaning: Cleaning, disk: Disk) -> None:
    await _add_tokens(database, 3 * BATCH)
    first_batch = disk.expect("DELETE FROM one_time_tokens")
    working = asyncio.create_task(cleaning.clean())
    await first_batch.wait()
    async with database.write() as connection:
        left = (await connection.execute(select(tables.one_time_tokens.c.token_digest))).all()
    assert len(left) == 2 * BATCH
    await working


async def test_nothing_is_written_where_nothing_expired(
    database: Database, cleaning: Cleaning, ada: str, disk: Disk
) -> None:
    await _add(database, tables.sessions, _session("going on", ada))
    disk.statements.clear()
    await cleaning.clean()
    assert disk.statements
    assert not [one for one in disk.statements if not one.lstrip().startswith("SELECT")]


async def test_broken_disk_ends_nothing(database: Database, cleaning: Cleaning, disk: Disk) -> None:
    await _add_tokens(database, 3)
    disk.broken = True
    with structlog.testing.capture_logs() as lines:
        await cleaning.clean()
    assert {line["event"] for line in lines} == {"cleaning_failed"}
    assert all("the database cannot do its work" in line["error"] for line in lines)
    assert {line["what"] for line in lines} >= {"one_time_tokens", "idle sessions", "audit_events"}
    disk.broken = False
    await cleaning.clean()
    assert await _keys(database, tables.one_time_tokens) == []


@pytest.mark.both_databases
async def test_two_processes_may_clean_at_once(database: Database) -> None:
    await _add_tokens(database, 2 * BATCH)
    await asyncio.gather(*(Cleaning(database, steps=_steps()).clean() for _ in range(2)))
    assert await _keys(database, tables.one_time_tokens) == []
