"""What is stored comes back, and each step that may happen once does."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.config.database_url import DatabaseAddress
from gateway.errors import Conflict
from gateway.models import Account, AuthMode, OrganizationRole, Session
from gateway.storage.accounts import (
    count_active_admins,
    find_account,
    find_account_by_email,
    list_accounts,
    set_disabled,
    set_password,
)
from gateway.storage.credential_owners import SESSION_BY_DIGEST, owned_session
from gateway.storage.database import Database
from gateway.storage.invalidations import Entry, append_invalidation, data_version, entries_from, last_entry
from gateway.storage.login_failures import (
    LoginFailures,
    clear_login_failures,
    find_login_failures,
    store_login_failures,
)
from gateway.storage.one_time_tokens import (
    OneTimeToken,
    find_one_time_token,
    replace_one_time_token,
    spend_one_time_token,
)
from gateway.storage.organizations import create_organization, find_organization
from gateway.storage.secret_fingerprints import exchange_fingerprint
from gateway.storage.sessions import (
    delete_session,
    delete_sessions_of,
    find_session,
    insert_session,
    replace_token,
    touch_sessions,
)
from tests.support.database import add_account, add_organization, append

pytestmark = pytest.mark.both_databases

NOW = datetime(2026, 3, 29, 1, 59, 59, 123_456, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


async def add_session(database: Database, account_id: str, session_id: str, *, seen: datetime = NOW) -> Session:
    session = Session(session_id, account_id, NOW, seen, NOW + timedelta(days=7), timedelta(hours=12), level=1)
    async with database.write() as connection:
        await insert_session(
            connection, session, token_digest=session_id.encode(), client_address="192.0.2.1", user_agent="agent"
        )
    return session


async def test_account_comes_back_as_it_was_made(database: Database) -> None:
    made = await add_account(database, "ada@example.com", role=OrganizationRole.ADMIN)
    async with database.read() as connection:
        assert await find_account(connection, made.id) == made
        assert await find_account_by_email(connection, "ada@example.com") == made
        assert await find_account_by_email(connection, "eve@example.com") is None
    assert made.email_verified
    assert made.created_at.tzinfo is UTC


async def test_second_account_of_an_address_is_a_conflict_that_names_it(database: Database) -> None:
    """L11."""
    first = await add_account(database)
    with pytest.raises(Conflict, match=r"ada@example\.com"):
        await add_account(database)
    async with database.read() as connection:
        assert await list_accounts(connection) == [first]


async def test_of_many_who_add_an_address_at_once_one_succeeds(database: Database) -> None:
    """N1."""
    outcomes = await asyncio.gather(*(add_account(database) for _ in range(10)), return_exceptions=True)
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 9


async def test_accounts_are_listed_by_address(database: Database) -> None:
    for email in ("c@x.test", "a@x.test", "b@x.test"):
        await add_account(database, email)
    async with database.read() as connection:
        assert [account.email for account in await list_accounts(connection)] == ["a@x.test", "b@x.test", "c@x.test"]


async def test_only_active_administrators_are_counted(database: Database) -> None:
    first = await add_account(database, "a@x.test", role=OrganizationRole.ADMIN)
    await add_account(database, "b@x.test", role=OrganizationRole.ADMIN)
    await add_account(database, "c@x.test")
    async with database.write() as connection:
        assert await count_active_admins(connection) == 2
        await set_disabled(connection, first.id, disabled=True, now=NOW)
        assert await count_active_admins(connection) == 1
        await set_disabled(connection, first.id, disabled=False, now=NOW)
        assert await count_active_admins(connection) == 2


async def test_changes_of_an_account_concern_that_one(database: Database) -> None:
    ada, eve = await add_account(database, "a@x.test"), await add_account(database, "e@x.test")
    async with database.write() as connection:
        await set_password(connection, ada.id, password_hash="new", must_change=True, now=NOW)
        await set_disabled(connection, ada.id, disabled=True, now=NOW)
        changed = await find_account(connection, ada.id)
        assert await find_account(connection, eve.id) == eve
    assert changed is not None
    assert (changed.password_hash, changed.must_change_password, changed.disabled) == ("new", True, True)
    assert changed.updated_at == NOW


async def test_moments_come_back_to_the_microsecond_from_any_zone(database: Database) -> None:
    account = await add_account(database)
    elsewhere = NOW.astimezone(timezone(timedelta(hours=-9, minutes=-30)))
    await add_session(database, account.id, "s", seen=elsewhere)
    await add_organization(database)
    async with database.read() as connection:
        found = await find_session(connection, "s")
    assert found is not None
    assert found[0].last_seen_at == NOW
    assert found[0].last_seen_at.tzinfo is UTC


async def _by_digest(connection: AsyncConnection, digest: bytes) -> tuple[Session, Account] | None:
    answer = await SESSION_BY_DIGEST.ask(connection, digest)
    return None if answer is None else owned_session(answer)[:2]


async def test_session_is_found_by_digest_and_by_id_with_all_that_a_check_needs(database: Database) -> None:
    await add_organization(database)
    account = await add_account(database)
    session = await add_session(database, account.id, "s1")
    await add_session(database, account.id, "s2")
    async with database.read() as connection:
        assert await _by_digest(connection, b"s1") == (session, account)
        assert await find_session(connection, "s1") == (session, account)
        for unknown in (b"", b"s", b"s11", b"S1"):
            assert await _by_digest(connection, unknown) is None


async def test_replaced_token_finds_nothing_and_the_record_stays(database: Database) -> None:
    """S2."""
    await add_organization(database)
    account = await add_account(database)
    session = await add_session(database, account.id, "s1")
    async with database.write() as connection:
        await replace_token(connection, "s1", token_digest=b"new")
    async with database.read() as connection:
        assert await _by_digest(connection, b"s1") is None
        found = await _by_digest(connection, b"new")
    assert found is not None
    assert found[0] == session


async def test_later_moment_of_use_stays(database: Database) -> None:
    """Another process may have seen the session later."""
    await add_organization(database)
    account = await add_account(database)
    for session_id in ("s1", "s2", "s3"):
        await add_session(database, account.id, session_id)
    async with database.write() as connection:
        await touch_sessions(connection, {"s1": NOW + MINUTE, "s2": NOW - MINUTE, "gone": NOW})
    async with database.read() as connection:
        seen = [found[0].last_seen_at for name in ("s1", "s2", "s3") if (found := await find_session(connection, name))]
    assert seen == [NOW + MINUTE, NOW, NOW]


async def test_deleting_a_session_says_whether_it_was_there(database: Database) -> None:
    account = await add_account(database)
    await add_session(database, account.id, "s1")
    async with database.write() as connection:
        assert await delete_session(connection, "s1") == account.id
        assert await delete_session(connection, "s1") is None
        assert await delete_session(connection, "never") is None


async def test_sessions_of_one_account_end_but_for_the_kept_one(database: Database) -> None:
    ada, eve = await add_account(database, "a@x.test"), await add_account(database, "e@x.test")
    for owner, session_id in ((ada, "a1"), (ada, "a2"), (ada, "a3"), (eve, "e1")):
        await add_session(database, owner.id, session_id)
    async with database.write() as connection:
        assert sorted(await delete_sessions_of(connection, ada.id, keep="a2")) == ["a1", "a3"]
        assert await delete_sessions_of(connection, ada.id, keep="e1") == ["a2"]
        assert await delete_sessions_of(connection, eve.id) == ["e1"]


async def test_sessions_go_with_their_account(database: Database) -> None:
    account = await add_account(database)
    await add_session(database, account.id, "s1")
    async with database.write() as connection:
        await connection.execute(text("DELETE FROM accounts"))
        assert not await delete_session(connection, "s1")


async def test_database_itself_refuses_a_second_organization(database: Database) -> None:
    """N1."""
    await add_organization(database)
    with pytest.raises(IntegrityError):
        await add_organization(database)


async def test_organization_is_found_as_it_was_made(database: Database) -> None:
    async with database.write() as connection:
        assert await find_organization(connection) is None
        made = await create_organization(connection, display_name="Default", mode=AuthMode.NONE, now=NOW)
        assert await find_organization(connection) == made


def setup_link(purpose: str = "setup", account_id: str | None = None) -> OneTimeToken:
    return OneTimeToken(purpose, account_id, expires_at=NOW + MINUTE)


async def test_one_time_token_is_spent_once(database: Database) -> None:
    """R1, N1."""
    async with database.write() as connection:
        await replace_one_time_token(connection, b"t", setup_link(), now=NOW)

    async def spend() -> OneTimeToken | None:
        async with database.write() as connection:
            return await spend_one_time_token(connection, b"t", purpose="setup", now=NOW)

    spent = await asyncio.gather(*(spend() for _ in range(20)))
    assert [token for token in spent if token is not None] == [setup_link()]


@pytest.mark.parametrize(
    ("digest", "purpose", "later", "good"),
    [
        (b"t", "setup", MINUTE - timedelta(microseconds=1), True),
        (b"t", "setup", MINUTE, False),
        (b"t", "reset", timedelta(0), False),
        (b"u", "setup", timedelta(0), False),
        (b"", "setup", timedelta(0), False),
    ],
)
async def test_one_time_token_is_good_for_its_purpose_until_its_end(
    database: Database,
    digest: bytes,
    purpose: str,
    later: timedelta,
    good: bool,  # noqa: FBT001
) -> None:
    """R1."""
    expected = setup_link() if good else None
    async with database.write() as connection:
        await replace_one_time_token(connection, b"t", setup_link(), now=NOW)
        assert await find_one_time_token(connection, digest, purpose=purpose, now=NOW + later) == expected
        assert await spend_one_time_token(connection, digest, purpose=purpose, now=NOW + later) == expected
        left = await find_one_time_token(connection, b"t", purpose="setup", now=NOW)
        assert (left is None) is good


async def test_newest_token_of_a_purpose_is_its_accounts_only_one(database: Database) -> None:
    """R1."""
    ada, eve = await add_account(database, "ada@example.com"), await add_account(database, "eve@example.com")
    made = {
        b"1": setup_link(),
        b"r": setup_link("reset", ada.id),
        b"e": setup_link("reset", eve.id),
        b"2": setup_link(),
        b"s": setup_link("reset", ada.id),
    }
    async with database.write() as connection:
        for digest, token in made.items():
            await replace_one_time_token(connection, digest, token, now=NOW)
        good = [
            digest
            for digest, token in made.items()
            if await find_one_time_token(connection, digest, purpose=token.purpose, now=NOW) is not None
        ]
    assert good == [b"e", b"2", b"s"]


async def test_login_failures_are_replaced_and_cleared_by_key(database: Database) -> None:
    async with database.write() as connection:
        assert await find_login_failures(connection, b"a") is None
        for entry in (LoginFailures(1, NOW, None), LoginFailures(5, NOW, NOW + MINUTE)):
            await store_login_failures(connection, b"a", entry)
            assert await find_login_failures(connection, b"a") == entry
        await store_login_failures(connection, b"b", LoginFailures(1, NOW, None))
        await clear_login_failures(connection, b"a")
        assert await find_login_failures(connection, b"a") is None
        assert await find_login_failures(connection, b"b") == LoginFailures(1, NOW, None)


async def test_fingerprint_is_exchanged_for_the_one_before(database: Database) -> None:
    async with database.write() as connection:
        assert await exchange_fingerprint(connection, "jwt", fingerprint="1", now=NOW) is None
        assert await exchange_fingerprint(connection, "jwt", fingerprint="1", now=NOW) == "1"
        assert await exchange_fingerprint(connection, "jwt", fingerprint="2", now=NOW) == "1"
        assert await exchange_fingerprint(connection, "salt", fingerprint="9", now=NOW) is None


async def test_empty_log_has_no_end(database: Database) -> None:
    async with database.read() as connection:
        assert await last_entry(connection) is None
        assert await entries_from(connection, 0) == []


async def test_log_is_read_in_order_from_the_entry_of_a_number_on(database: Database) -> None:
    await append(database, "a", "b", "c", at=NOW)
    async with database.read() as connection:
        log = await entries_from(connection, 0)
        first = log[0].number
        assert log == [Entry(first + number, subject, NOW) for number, subject in enumerate("abc")]
        assert await entries_from(connection, first + 1) == log[1:]
        assert await last_entry(connection) == log[-1]
        assert await entries_from(connection, log[-1].number + 1) == []


async def test_numbers_go_on_after_an_end_was_lost(database: Database, database_address: DatabaseAddress) -> None:
    """Numbers never come back."""
    await append(database, "a", "b")
    async with database.write() as connection:
        last = await last_entry(connection)
        await connection.execute(text("DELETE FROM invalidations"))
    again = Database.open(database_address)
    async with again.write() as connection:
        await append_invalidation(connection, "c", now=NOW)
        log = await entries_from(connection, 0)
    await again.close()
    assert last is not None
    assert [entry.number for entry in log] == [last.number + 1]


async def test_version_moves_with_commits_of_others_only(database: Database) -> None:
    """PostgreSQL has no such number: there the log is read each time."""
    async with database.read() as connection:
        before = await data_version(connection)
        assert await data_version(connection) == before
        await append(database, "a")
        assert (await data_version(connection) == before) is (connection.dialect.name == "postgresql")
