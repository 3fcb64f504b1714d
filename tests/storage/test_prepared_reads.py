"""What is asked for each credential that is not known yet: the same as the ordinary way gives, by a shorter one."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from sqlalchemy import delete, text, update

from gateway.config.database_url import DatabaseAddress, PostgresqlServer, SqliteFile
from gateway.errors import DatabaseUnavailable, Unavailable
from gateway.models import Account, ApiKey, OrganizationRole, Scope, ServiceAccount, Session
from gateway.storage import postgresql as postgresql_module
from gateway.storage.accounts import list_accounts
from gateway.storage.api_keys import find_api_key, insert_api_key
from gateway.storage.credential_owners import (
    API_KEY_BY_DIGEST,
    SESSION_BY_DIGEST,
    SESSION_BY_ID,
    owned_api_key,
    owned_session,
)
from gateway.storage.database import Database
from gateway.storage.postgresql_reader import HELD_CONNECTIONS, MOST_AT_ONCE, _ReadOfMany
from gateway.storage.prepared_reads import PreparedRead, Row
from gateway.storage.service_accounts import list_service_accounts
from gateway.storage.sessions import find_session, insert_session
from gateway.storage.sqlite_reader import SqliteReader
from gateway.storage.standing import find_standing
from gateway.storage.tables import accounts, sessions, workspaces
from tests.organization.test_few_statements import House
from tests.support.database import add_account, add_organization
from tests.support.servers.postgresql import PostgresqlProcess
from tests.support.servers.relay import running_relay

NOW = datetime(2026, 1, 1, 12, 30, 15, 123456, tzinfo=UTC)
DAY = timedelta(days=1)
ADMIN = OrganizationRole.ADMIN


async def _open(database: Database, account: Account) -> tuple[Session, bytes]:
    """Insert a session as no default would make it."""
    session = Session(
        id=f"session of {account.id[:20]}",
        account_id=account.id,
        created_at=NOW,
        last_seen_at=NOW + DAY,
        expires_at=NOW + 2 * DAY,
        idle_timeout=DAY,
        level=2,
        second_factor_at=NOW,
        remembered=True,
    )
    digest = account.id[:32].encode()
    async with database.write() as connection:
        await insert_session(connection, session, token_digest=digest, client_address=None, user_agent=None)
    return session, digest


async def _issue(database: Database, owner: Account | ServiceAccount, scopes: tuple[Scope, ...] = ()) -> bytes:
    api_key = ApiKey(
        id=f"key of {owner.id[:20]}",
        owner_id=owner.id,
        name="report",
        prefix="lc_",
        scopes=scopes,
        created_at=NOW,
        expires_at=NOW + DAY if scopes else None,
        last_used_at=NOW if scopes else None,
        of_service=isinstance(owner, ServiceAccount),
    )
    digest = owner.id[:32].encode()
    async with database.write() as connection:
        await insert_api_key(connection, api_key, key_digest=digest)
    return digest


async def _short(database: Database, read: PreparedRead, wanted: str | bytes) -> Row | None:
    """Ask the short way, which must be open."""
    rows = await database._short_way.ask(read, wanted)  # noqa: SLF001 - `look_up` hides which way it was
    assert rows is not None
    return rows[0] if rows else None


@pytest.fixture
async def house(database: Database) -> House:
    """People and programs of every kind, in groups and workspaces."""
    await add_organization(database)
    house = House(database)
    await house.grow("Zoo")
    await house.grow("Annex")
    ada = await add_account(database)
    for name in ("b", "Ä", "a b"):
        await house.groups.add_member((await house.groups.add(name)).group.id, ada.id)
    async with database.write() as connection:
        everything = {"banned_until": NOW, "second_factor_since": NOW, "logged_in_at": NOW, "username": "ada"}
        await connection.execute(update(accounts).where(accounts.c.id == ada.id).values(everything))
        # What JSON writes in another way, and a moment without a fraction.
        odd = {"display_name": "\"\\,[]{}' Ä漢😀\u2028\x01", "created_at": NOW.replace(microsecond=0)}
        await connection.execute(update(workspaces).where(workspaces.c.display_name == "Zoo").values(odd))
    return house


@pytest.mark.both_databases
@pytest.mark.usefixtures("house")
async def test_short_way_gives_what_several_statements_give(database: Database) -> None:
    async with database.read() as connection:
        people = await list_accounts(connection)
        programs = await list_service_accounts(connection)
    for account in people:
        session, digest = await _open(database, account)
        async with database.read() as connection:
            expected = (session, account, await find_standing(connection, account))
            assert await find_session(connection, session.id) == (session, account)
            ordinary = await SESSION_BY_DIGEST.ask(connection, digest)
        for answer in (
            await _short(database, SESSION_BY_DIGEST, digest),
            await _short(database, SESSION_BY_ID, session.id),
            ordinary,
        ):
            assert answer is not None
            assert owned_session(answer) == expected
    scopes = (Scope(host="app.example.com", path="/**", methods=("GET",)),)
    owners: list[Account | ServiceAccount] = [*people, *programs]
    for owner in owners:
        digest = await _issue(database, owner, scopes if owner is people[0] or owner is programs[0] else ())
        async with database.read() as connection:
            expected_key = (
                await find_api_key(connection, f"key of {owner.id[:20]}"),
                owner,
                await find_standing(connection, owner),
            )
            ordinary = await API_KEY_BY_DIGEST.ask(connection, digest)
        for answer in (await _short(database, API_KEY_BY_DIGEST, digest), ordinary):
            assert answer is not None
            assert owned_api_key(answer) == expected_key


@pytest.mark.both_databases
async def test_unknown_credential_has_no_answer(database: Database) -> None:
    assert await _short(database, SESSION_BY_DIGEST, b"x" * 32) is None
    assert await _short(database, SESSION_BY_ID, "x\udcff".encode("utf-8", "replace").decode()) is None
    assert await _short(database, API_KEY_BY_DIGEST, b"x" * 32) is None


@pytest.mark.both_databases
async def test_nobody_is_anything_without_an_organization(database: Database) -> None:
    for role in (ADMIN, OrganizationRole.USER):
        account = await add_account(database, f"{role.name}@example.com", role=role)
        session, digest = await _open(database, account)
        answer = await _short(database, SESSION_BY_DIGEST, digest)
        assert answer is not None
        assert owned_session(answer) == (session, account, None)


@pytest.mark.both_databases
async def test_each_question_sees_the_latest_commit(database: Database, database_address: DatabaseAddress) -> None:
    """Of this process and of others."""
    await add_organization(database)
    session, digest = await _open(database, await add_account(database))
    async with Database.opened(database_address) as other:
        for level, writer in enumerate((database, other, database, other), start=3):
            async with writer.write() as connection:
                await connection.execute(update(sessions).values(level=level))
                uncommitted = await _short(database, SESSION_BY_DIGEST, digest)
            answer = await _short(database, SESSION_BY_DIGEST, digest)
            assert uncommitted is not None
            assert answer is not None
            assert (uncommitted.level, answer.level) == (max(level - 1, 2), level)
        async with other.write() as connection:
            await connection.execute(delete(sessions))
        assert await database.look_up(SESSION_BY_ID, session.id) is None


async def test_file_is_read_after_it_was_rewritten_and_never_written(
    database: Database, database_address: DatabaseAddress
) -> None:
    assert isinstance(database_address, SqliteFile)
    await add_organization(database)
    session, _ = await _open(database, await add_account(database))
    assert await _short(database, SESSION_BY_ID, session.id) is not None
    other = sqlite3.connect(database_address.path, isolation_level=None)
    for rewriting in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)", "UPDATE sessions SET level = 7"):
        other.execute(rewriting)
        assert await _short(database, SESSION_BY_ID, session.id) is not None
    answer = await _short(database, SESSION_BY_ID, session.id)
    assert answer is not None
    assert answer.level == 7
    other.close()
    reader = database._short_way  # noqa: SLF001 - that it could write must not even be asked for
    assert isinstance(reader, SqliteReader)
    assert reader._connection is not None  # noqa: SLF001 - as above
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader._connection.execute("DELETE FROM sessions")  # noqa: SLF001 - as above


async def test_what_is_in_the_way_of_a_file_is_for_the_ordinary_way(
    database: Database, database_address: DatabaseAddress
) -> None:
    assert isinstance(database_address, SqliteFile)
    await add_organization(database)
    session, _ = await _open(database, await add_account(database))
    reader = SqliteReader(database_address.path.parent / "none.db", database._readers.dialect)  # noqa: SLF001 - one more
    assert await reader.ask(SESSION_BY_ID, session.id) is None
    assert not reader._path.exists()  # noqa: SLF001 - nor is it made
    database._short_way = reader  # noqa: SLF001 - a way that leads nowhere
    assert await database.look_up(SESSION_BY_ID, session.id) is not None


async def test_locked_file_is_left_to_whoever_may_wait(database: Database, database_address: DatabaseAddress) -> None:
    assert isinstance(database_address, SqliteFile)
    await database.close()
    locking = sqlite3.connect(database_address.path, isolation_level=None)
    locking.execute("PRAGMA locking_mode=EXCLUSIVE")
    locking.execute("CREATE TABLE locked (x)")
    reader = SqliteReader(database_address.path, database._readers.dialect)  # noqa: SLF001 - one more
    assert await reader.ask(SESSION_BY_ID, "x") is None
    locking.close()
    # It was no fault of the connection's, which is asked again at once.
    assert await reader.ask(SESSION_BY_ID, "x") == []
    await reader.close()


@pytest.mark.both_databases
async def test_nothing_stays_open_behind_a_closed_database(database: Database) -> None:
    await asyncio.gather(*(_short(database, SESSION_BY_ID, "x") for _ in range(2 * HELD_CONNECTIONS)))
    reader = database._short_way  # noqa: SLF001 - what is held is beneath what is public
    held: list[Any] = [reader._connection] if isinstance(reader, SqliteReader) else list(reader._idle)  # type: ignore[attr-defined]  # noqa: SLF001 - as above
    assert 1 <= len(held) <= HELD_CONNECTIONS
    await database.close()
    for connection in held:
        if isinstance(connection, sqlite3.Connection):
            with pytest.raises(sqlite3.ProgrammingError):
                connection.execute("SELECT 1")
        else:
            assert connection.is_closed()


@pytest.fixture
async def server_database(postgresql: PostgresqlProcess) -> Any:  # noqa: ANN401 - a generator of databases
    """A migrated database on the server of all tests, with one session `x`."""
    async with Database.opened(PostgresqlServer(postgresql.new_database())) as database:
        await add_organization(database)
        session, _ = await _open(database, await add_account(database))
        yield database, session.id


_CROWD = (
    """\
INSERT INTO accounts (id, email, name, role, email_verified, must_change_password, created_at, updated_at)
SELECT number, number, 'Ada', 'Organization User', true, false, now(), now() FROM generate_series(1, 5000) AS number""",
    """\
INSERT INTO sessions
(id, account_id, token_digest, level, idle_timeout_seconds, created_at, last_seen_at, expires_at, remembered)
SELECT number, number, sha256(number::text::bytea), 1, 60, now(), now(), now(), false
FROM generate_series(1, 5000) AS number""",
    """\
INSERT INTO api_keys (id, account_id, name, prefix, key_digest, scopes, created_at)
SELECT number, number, 'report', 'lc_', sha256(number::text::bytea), '[]', now()
FROM generate_series(1, 5000) AS number""",
)


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the server is asked for together, one item for each statement."""
    fetch, fetched = asyncpg.Connection.fetch, []

    async def note(connection: Any, text: str, wanted: list[Any]) -> Any:  # noqa: ANN401 - asyncpg's
        fetched.append(wanted)
        return await fetch(connection, text, wanted)

    monkeypatch.setattr(asyncpg.Connection, "fetch", note)
    return fetched


async def test_lost_connections_cost_no_error(postgresql: PostgresqlProcess, server_database: Any) -> None:  # noqa: ANN401 - as above
    database, session_id = server_database
    await asyncio.gather(*(_short(database, SESSION_BY_ID, session_id) for _ in range(HELD_CONNECTIONS)))
    postgresql.stop()
    with pytest.raises(DatabaseUnavailable, match="cannot be reached"):
        await database.look_up(SESSION_BY_ID, session_id)
    postgresql.start()
    found = await asyncio.gather(*(database.look_up(SESSION_BY_ID, session_id) for _ in range(4 * HELD_CONNECTIONS)))
    assert None not in found
    async with database.read() as connection:
        # Noticed by nobody until it is used.
        await connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
        )
    assert await database.look_up(SESSION_BY_ID, session_id) is not None
    assert await _short(database, SESSION_BY_ID, session_id) is not None


async def test_server_without_a_connection_left_is_asked_on_those_that_there_are(server_database: Any) -> None:  # noqa: ANN401 - as above
    database, session_id = server_database
    reader = database._short_way  # noqa: SLF001 - what is held is beneath what is public

    async def connect() -> Any:  # noqa: ANN401 - asyncpg's
        message = "the database cannot be reached"
        raise DatabaseUnavailable(message) from asyncpg.TooManyConnectionsError(message)

    reader._connect = connect  # noqa: SLF001 - as above
    assert await database.look_up(SESSION_BY_ID, session_id) is not None


async def test_silent_server_is_waited_for_once(
    postgresql: PostgresqlProcess,
    server_database: Any,  # noqa: ANN401 - as above
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened, session_id = server_database
    monkeypatch.setattr(postgresql_module, "_SILENT_AFTER_SECONDS", 0.3)
    name = await _name(opened)
    async with running_relay(postgresql.port) as relay:
        url = postgresql.url(name).replace(str(postgresql.port), str(relay.port))
        async with Database.opened(PostgresqlServer(url)) as database:
            assert await _short(database, SESSION_BY_ID, session_id) is not None
            await relay.black_hole()
            with pytest.raises(Unavailable, match="did not answer in time"):
                await database.look_up(SESSION_BY_ID, session_id)
            await relay.refuse()
            await relay.pass_on()
            assert await _short(database, SESSION_BY_ID, session_id) is not None


async def test_whoever_goes_away_leaves_the_held_connections_to_the_others(server_database: Any) -> None:  # noqa: ANN401 - as above
    database, session_id = server_database
    reader = database._short_way  # noqa: SLF001 - what is held is beneath what is public
    connect, made = reader._connect, []  # noqa: SLF001 - as above

    async def note() -> Any:  # noqa: ANN401 - asyncpg's
        made.append(await connect())
        return made[-1]

    reader._connect = note  # noqa: SLF001 - as above
    for _ in range(12):
        async with asyncio.timeout(5):
            assert await _short(database, SESSION_BY_ID, session_id) is not None
        asking = [asyncio.create_task(database.look_up(SESSION_BY_ID, session_id)) for _ in range(HELD_CONNECTIONS + 1)]
        await asyncio.sleep(0)
        for one in asking:
            one.cancel()
        await asyncio.wait(asking)
    # Others may have asked with them: nothing is hung up, and each of the next questions has its own answer.
    assert await _short(database, SESSION_BY_ID, "x") is None
    assert len(made) <= HELD_CONNECTIONS
    assert not any(one.is_closed() for one in made)


async def test_everybody_who_asks_at_once_is_answered_together(server_database: Any, fetched: list[Any]) -> None:  # noqa: ANN401 - as above
    database, session_id = server_database
    # What begins like the id, and is longer than any, is another one.
    wanted = [session_id, "x", session_id, session_id + "x" * 40, *map(str, range(MOST_AT_ONCE - 4))]
    answers = await asyncio.gather(*(_short(database, SESSION_BY_ID, one) for one in wanted))
    assert fetched == [wanted]
    assert [None if row is None else row.session_id for row in answers] == [
        one if one == session_id else None for one in wanted
    ]


async def test_indexes_are_used_before_the_server_has_counted_anything(server_database: Any) -> None:  # noqa: ANN401 - as above
    """A restored database has no statistics, and one row never gets any: whole tables would be read for a bad key."""
    database, _ = server_database
    async with database.write() as connection:
        for crowd in _CROWD:
            await connection.exec_driver_sql(crowd)
    for read in (SESSION_BY_DIGEST, SESSION_BY_ID, API_KEY_BY_DIGEST):
        question = _ReadOfMany(read, database._readers.dialect).text.replace("$1", "'{x,y,z}'")  # noqa: SLF001 - the engine's words
        async with database.read() as connection:
            plan = "\n".join((await connection.exec_driver_sql(f"EXPLAIN {question}")).scalars())
        assert not re.search("Seq Scan on (accounts|sessions|api_keys|workspace_members|group_members)", plan), plan
        assert "JIT" not in plan


async def test_crowd_is_answered_in_parts(server_database: Any, fetched: list[Any]) -> None:  # noqa: ANN401 - as above
    """All in one statement would be refused together, if the server is slow, and so would the next crowd."""
    database, session_id = server_database
    wanted = [session_id, *map(str, range(2 * MOST_AT_ONCE)), session_id]
    answers = await asyncio.gather(*(_short(database, SESSION_BY_ID, one) for one in wanted))
    assert sorted(len(part) for part in fetched) == [2, MOST_AT_ONCE, MOST_AT_ONCE]
    assert [at for at, row in enumerate(answers) if row is not None] == [0, len(wanted) - 1]


async def test_no_read_waits_for_another_one(server_database: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN401 - as above
    database, session_id = server_database
    fetch, everybody = asyncpg.Connection.fetch, asyncio.Barrier(HELD_CONNECTIONS)

    async def wait_for_the_others(connection: Any, text: str, wanted: list[Any]) -> Any:  # noqa: ANN401 - asyncpg's
        await everybody.wait()
        return await fetch(connection, text, wanted)

    monkeypatch.setattr(asyncpg.Connection, "fetch", wait_for_the_others)
    reads = ((SESSION_BY_ID, session_id), (SESSION_BY_DIGEST, b"x" * 32), (API_KEY_BY_DIGEST, b"x" * 32))
    async with asyncio.timeout(5):
        answers = await asyncio.gather(*(_short(database, read, wanted) for read, wanted in reads))
    assert [row is not None for row in answers] == [True, False, False]


@pytest.mark.parametrize("fails", [False, True])
async def test_whoever_goes_away_takes_no_answer_from_those_who_asked_with_them(
    server_database: Any,  # noqa: ANN401 - as above
    *,
    fails: bool,
) -> None:
    database, session_id = server_database
    reader = database._short_way  # noqa: SLF001 - what is held is beneath what is public
    fetch, reached, go_on = reader._fetch, asyncio.Event(), asyncio.Event()  # noqa: SLF001 - as above

    async def answer_later(statement: str, wanted: list[str]) -> Any:  # noqa: ANN401 - asyncpg's
        reached.set()
        await go_on.wait()
        if fails:
            raise ConnectionResetError
        return await fetch(statement, wanted)

    reader._fetch = answer_later  # noqa: SLF001 - as above
    gone, waiting = (asyncio.create_task(reader.ask(SESSION_BY_ID, session_id)) for _ in range(2))
    await reached.wait()
    gone.cancel()
    await asyncio.wait([gone])
    go_on.set()
    async with asyncio.timeout(5):
        rows = await waiting
    assert (None if rows is None else [row.session_id for row in rows]) == (None if fails else [session_id])


async def test_no_more_connections_ask_than_are_held_and_the_next_questions_gather(server_database: Any) -> None:  # noqa: ANN401 - as above
    database, _ = server_database
    reader = database._short_way  # noqa: SLF001 - what is held is beneath what is public
    asked, go_on = list[list[str]](), asyncio.Event()

    async def answer_later(_text: str, wanted: list[str]) -> list[Any]:
        asked.append(wanted)
        await go_on.wait()
        return []

    reader._fetch = answer_later  # noqa: SLF001 - as above
    names, asking = [str(number) for number in range(HELD_CONNECTIONS + 3)], []
    for name in names:
        asking.append(asyncio.create_task(reader.ask(SESSION_BY_ID, name)))
        for _ in range(3):
            await asyncio.sleep(0)
    assert asked == [[name] for name in names[:HELD_CONNECTIONS]]
    go_on.set()
    assert await asyncio.gather(*asking) == [[]] * len(names)
    assert asked[HELD_CONNECTIONS:] == [names[HELD_CONNECTIONS:]]


async def test_question_that_the_server_does_not_take_is_for_the_ordinary_way(server_database: Any) -> None:  # noqa: ANN401 - as above
    database, session_id = server_database
    reader = database._short_way  # noqa: SLF001 - what is held is beneath what is public
    asked = [reader.ask(SESSION_BY_ID, one) for one in (session_id, "\0")]
    assert await asyncio.gather(*asked) == [None, None]
    assert await database.look_up(SESSION_BY_ID, session_id) is not None
    assert await _short(database, SESSION_BY_ID, session_id) is not None


async def test_nobody_waits_behind_a_reader_that_was_closed(server_database: Any) -> None:  # noqa: ANN401 - as above
    database, session_id = server_database
    reader = database._short_way  # noqa: SLF001 - what is held is beneath what is public
    asking = [asyncio.create_task(reader.ask(SESSION_BY_ID, session_id)) for _ in range(3)]
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await reader.close()
        assert await asyncio.gather(*asking) == [None, None, None]
        # It may be asked again, as every part of a database.
        assert await _short(database, SESSION_BY_ID, session_id) is not None


async def _name(database: Database) -> str:
    async with database.read() as connection:
        return str((await connection.execute(text("SELECT current_database()"))).scalar_one())
