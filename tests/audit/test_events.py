"""What is recorded: cut to what is kept, readable by any database, and attributed to whoever did it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import Row, select

from gateway.audit.events import Circumstances, EventKind, note_actor, record, under
from gateway.storage.database import Database
from gateway.storage.tables import audit_events
from tests.support.database import add_account


async def _newest(database: Database) -> Row[Any]:
    async with database.read() as connection:
        return (await connection.execute(select(audit_events).order_by(audit_events.c.id.desc()).limit(1))).one()


async def test_circumstances_hold_inside_their_block_only(database: Database) -> None:
    with under(Circumstances(client_address="192.0.2.1", request_id="r1")):
        note_actor("somebody")
        async with database.write() as connection:
            await record(connection, EventKind.GROUP_CHANGED)
    event = await _newest(database)
    assert (event.client_address, event.request_id, event.actor) == ("192.0.2.1", "r1", "somebody")
    async with database.write() as connection:
        await record(connection, EventKind.GROUP_CHANGED)
    event = await _newest(database)
    assert (event.client_address, event.request_id, event.actor) == (None, None, None)


@pytest.mark.parametrize(
    ("kind", "succeeded", "known"),
    [
        (EventKind.LOGIN, True, True),
        (EventKind.LOGIN, False, False),
        (EventKind.SECOND_FACTOR, False, False),
        (EventKind.PASSWORD_RESET, True, True),
        (EventKind.PASSWORD_RESET_REQUESTED, True, False),
    ],
)
async def test_account_did_only_what_it_proved(
    database: Database,
    kind: EventKind,
    succeeded: bool,  # noqa: FBT001 - a column of the table
    known: bool,  # noqa: FBT001 - likewise
) -> None:
    ada = await add_account(database)
    async with database.write() as connection:
        await record(connection, kind, account=ada, succeeded=succeeded)
    event = await _newest(database)
    assert event.account_id == ada.id
    assert event.actor == (ada.id if known else None)


async def test_whoever_logs_in_is_who_did_it_whatever_cookie_came_along(database: Database) -> None:
    ada = await add_account(database)
    with under(Circumstances(actor="somebody else")):
        async with database.write() as connection:
            await record(connection, EventKind.LOGIN, account=ada)
    assert (await _newest(database)).actor == ada.id


async def test_address_is_kept_with_an_event_that_knows_the_account_only(database: Database) -> None:
    ada = await add_account(database)
    async with database.write() as connection:
        await record(connection, EventKind.API_KEY_CREATED, account_id=ada.id)
    assert (await _newest(database)).email == ada.email


async def test_what_strangers_typed_can_be_stored_by_any_database(database: Database) -> None:
    """PostgreSQL refuses NUL and lone surrogates, and what is longer than its column."""
    typed = "\0\ud800" + "x" * 1000
    with under(Circumstances(actor=typed)):
        async with database.write() as connection:
            await record(connection, EventKind.LOGIN, email=typed, succeeded=False, reason=typed)
    event = await _newest(database)
    assert event.email == ("\ufffd\ufffd" + "x" * 252)
    assert event.actor == ("\ufffd\ufffd" + "x" * 78)
    assert json.loads(event.details) == {"reason": "\ufffd\ufffd" + "x" * 198}


async def test_event_of_a_transaction_that_fails_is_not_there(database: Database) -> None:
    async def fail() -> None:
        async with database.write() as connection:
            await record(connection, EventKind.GROUP_CHANGED)
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    async with database.read() as connection:
        assert (await connection.execute(select(audit_events))).all() == []
