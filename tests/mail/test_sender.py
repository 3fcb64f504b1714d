"""Each letter arrives, once: over outages, restarts and several processes, and never when it is too late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import text
from structlog.testing import capture_logs

from gateway.config.database_url import DatabaseAddress
from gateway.credentials.sealed_box import SealedBox
from gateway.mail import sender as sender_module
from gateway.mail.outbox import MailKind, Outbox, PostedLetter
from gateway.mail.sender import pause_after
from gateway.storage.database import Database
from gateway.storage.outbox import claim_letter
from tests.mail.conftest import LINK, PostOffice, transport_with
from tests.support.database import Disk
from tests.support.letters import link_in
from tests.support.smtp import Mailbox

START = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def travel() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@asynccontextmanager
async def at_work(office: PostOffice) -> AsyncIterator[None]:
    task = asyncio.create_task(office.sender.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def rows(database: Database) -> list[tuple[bool, bool, int]]:
    """Give for each letter whether it was sent, whether it is still there, and how often it was tried."""
    async with database.read() as connection:
        found = await connection.execute(text("SELECT sent_at, letter, attempts FROM outbox ORDER BY created_at"))
    return [(row.sent_at is not None, row.letter is not None, row.attempts) for row in found]


async def test_letter_arrives_and_is_erased_here(office: PostOffice, mailbox: Mailbox) -> None:
    await office.post()
    assert await office.send_what_is_due() == 1
    assert link_in((await mailbox.wait_for(1))[0]) == LINK
    assert await rows(office.database) == [(True, False, 1)]
    assert await office.send_what_is_due() == 0


async def test_nothing_of_a_link_is_in_the_database_in_clear(office: PostOffice, tmp_path: Path) -> None:
    """R1."""
    await office.post("ada@example.com")
    assert _found_in(tmp_path, b"password_reset")
    assert not _found_in(tmp_path, b"s3cret-token")
    assert not _found_in(tmp_path, b"ada@example.com")
    await office.send_what_is_due()
    assert not _found_in(tmp_path, b"s3cret-token")


async def test_letter_goes_with_the_transaction_that_caused_it(office: PostOffice, mailbox: Mailbox) -> None:
    now = datetime.now(UTC)
    with suppress(_Death):
        async with office.database.write() as connection:
            await office.outbox.post(connection, MailKind.PASSWORD_CHANGED, to="ada@example.com", now=now, name="Ada")
            raise _Death
    assert await office.send_what_is_due() == 0
    assert not mailbox.letters


async def test_without_mail_nothing_is_kept(database: Database) -> None:
    outbox = Outbox(box=SealedBox(b"k" * 32), enabled=False)
    async with database.write() as connection:
        await outbox.post(connection, MailKind.TEST, to="ada@example.com", now=datetime.now(UTC))
    assert await rows(database) == []


async def test_letter_waits_longer_after_each_failure_and_arrives_once(
    office: PostOffice, mailbox: Mailbox, travel: time_machine.Traveller
) -> None:
    await office.post()
    await mailbox.stop()
    assert await office.send_what_is_due() == 1
    travel.shift(4 * SECOND)
    assert await office.send_what_is_due() == 0
    travel.shift(SECOND)
    assert await office.send_what_is_due() == 1
    travel.shift(9 * SECOND)
    assert await office.send_what_is_due() == 0
    await mailbox.start_again()
    travel.shift(SECOND)
    assert await office.send_what_is_due() == 1
    assert await rows(office.database) == [(True, False, 3)]
    travel.shift(50 * MINUTE)
    assert await office.send_what_is_due() == 0
    assert len(mailbox.letters) == 1


@pytest.mark.parametrize(
    ("attempts", "pause"),
    [(1, 5 * SECOND), (2, 10 * SECOND), (10, 2560 * SECOND), (11, 60 * MINUTE), (5000, 60 * MINUTE)],
)
def test_pause_doubles_up_to_an_hour(attempts: int, pause: timedelta) -> None:
    assert pause_after(attempts) == pause


async def test_failure_is_logged_with_its_cure_and_without_what_is_in_the_letter(
    office: PostOffice, mailbox: Mailbox
) -> None:
    await office.post()
    await mailbox.stop()
    with capture_logs() as log:
        await office.send_what_is_due()
    [line] = log
    assert line["event"] == "mail_failed"
    assert line["failure"] == "unreachable"
    assert "mail.host" in line["cure"]
    assert "s3cret-token" not in str(line)
    assert "ada@example.com" not in str(line)


async def test_reset_link_that_has_expired_is_never_sent(
    office: PostOffice, mailbox: Mailbox, travel: time_machine.Traveller
) -> None:
    await office.post(lifetime=15 * MINUTE)
    travel.shift(15 * MINUTE)
    with capture_logs() as log:
        assert await office.send_what_is_due() == 0
    assert [line["event"] for line in log] == ["mail_expired"]
    assert await rows(office.database) == []
    await office.post(lifetime=15 * MINUTE)
    async with office.database.write() as connection:
        now = datetime.now(UTC) + 15 * MINUTE
        assert await claim_letter(connection, now=now, until=now + MINUTE) is None
    assert not mailbox.letters


async def test_refused_recipient_ends_it(office: PostOffice, mailbox: Mailbox, travel: time_machine.Traveller) -> None:
    mailbox.replies["ada@example.com"] = "550 5.1.1 no such mailbox"
    await office.post()
    await office.post("bob@example.com")
    with capture_logs() as log:
        await office.send_what_is_due()
    travel.shift(30 * MINUTE)
    assert await office.send_what_is_due() == 0
    assert sorted(line["event"] for line in log) == ["mail_refused", "mail_sent"]
    assert mailbox.recipients == ["bob@example.com"]
    assert await rows(office.database) == [(True, False, 1)]


async def test_letter_sealed_with_another_key_is_dropped(office: PostOffice, mailbox: Mailbox) -> None:
    other = PostOffice(office.database, transport=transport_with(mailbox.environment), key=b"o" * 32)
    await other.post()
    with capture_logs() as log:
        await office.send_what_is_due()
    assert [(line["event"], line["log_level"]) for line in log] == [("mail_dropped", "warning")]
    assert await rows(office.database) == []
    assert not mailbox.letters


async def test_letter_of_a_newer_version_is_left_to_it(office: PostOffice) -> None:
    await office.post()
    async with office.database.write() as connection:
        await connection.execute(text("UPDATE outbox SET kind = 'from_the_future'"))
    with capture_logs() as log:
        await office.send_what_is_due()
    assert [line["event"] for line in log] == ["mail_failed"]
    assert await rows(office.database) == [(False, True, 1)]


async def test_letter_to_nobody_is_neither_sent_nor_told_about(office: PostOffice, mailbox: Mailbox) -> None:
    """R2."""
    async with office.database.write() as connection:
        await office.outbox.post_to_nobody(connection, now=datetime.now(UTC))
    with capture_logs() as log:
        assert await office.send_what_is_due() == 0
    assert await rows(office.database) == []
    assert log == []
    assert not mailbox.letters


async def test_letter_that_cannot_be_written_holds_up_no_other(office: PostOffice, mailbox: Mailbox) -> None:
    now = datetime.now(UTC)
    async with office.database.write() as connection:
        await office.outbox.post(
            connection, MailKind.VERIFY_EMAIL, to="ada@example.com", now=now, link="https://evil.example/"
        )
    await office.post("bob@example.com")
    await office.send_what_is_due()
    assert mailbox.recipients == ["bob@example.com"]


@pytest.mark.both_databases
async def test_several_senders_send_each_letter_once(
    database_address: DatabaseAddress, office: PostOffice, mailbox: Mailbox
) -> None:
    """N1."""
    databases = [Database.open(database_address) for _ in range(3)]
    transport = transport_with(mailbox.environment)
    others = [PostOffice(database, transport=transport) for database in databases]
    for number in range(20):
        await office.post(f"{number}@example.com")
    tried = await asyncio.gather(*(one.send_what_is_due() for one in (office, *others)))
    for database in databases:
        await database.close()
    assert sum(tried) == 20
    assert sorted(mailbox.recipients) == sorted(f"{number}@example.com" for number in range(20))


@pytest.mark.both_databases
async def test_twenty_who_claim_one_letter_at_once_send_it_once(office: PostOffice, mailbox: Mailbox) -> None:
    """N1."""
    await office.post()
    tried = await asyncio.gather(*(office.sender.send_next() for _ in range(20)))
    assert sum(tried) == len(mailbox.letters) == 1


async def test_letter_of_a_process_that_died_is_sent_by_another(
    office: PostOffice, mailbox: Mailbox, travel: time_machine.Traveller
) -> None:
    dying = PostOffice(office.database, transport=_Dying())
    await dying.post()
    with pytest.raises(_Death):
        await dying.sender.send_next()
    assert await office.send_what_is_due() == 0
    travel.shift(2 * MINUTE)
    assert await office.send_what_is_due() == 1
    assert len(mailbox.letters) == 1


async def test_posting_wakes_the_sender(office: PostOffice, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender_module, "_LOOK_EVERY", timedelta(days=1))
    async with at_work(office):
        for number in range(3):
            await office.post(f"{number}@example.com")
            await mailbox.next_letter(to=f"{number}@example.com")


async def test_sender_that_wakes_before_the_commit_waits_for_it(
    office: PostOffice, mailbox: Mailbox, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender_module, "_LOOK_EVERY", timedelta(days=1))
    looked = disk.expect("min(outbox.next_attempt_at)")
    async with at_work(office):
        await looked.wait()
        async with office.database.write() as connection:
            await office.outbox.post(
                connection, MailKind.PASSWORD_CHANGED, to="ada@example.com", now=datetime.now(UTC), name="Ada"
            )
            looked_again = disk.expect("min(outbox.next_attempt_at)")
            await looked_again.wait()
        await mailbox.next_letter(to="ada@example.com")


async def test_letters_that_other_processes_post_are_found(
    office: PostOffice, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender_module, "_LOOK_EVERY", timedelta(milliseconds=10))
    elsewhere = PostOffice(office.database, transport=transport_with(mailbox.environment))
    async with at_work(office):
        for number in range(3):
            await elsewhere.post(f"{number}@example.com")
            await mailbox.next_letter(to=f"{number}@example.com")


async def test_restart_sends_what_waited(office: PostOffice, mailbox: Mailbox, travel: time_machine.Traveller) -> None:
    await mailbox.stop()
    await office.post()
    assert await office.send_what_is_due() == 1
    await mailbox.start_again()
    travel.shift(5 * SECOND)
    restarted = PostOffice(office.database, transport=transport_with(mailbox.environment))
    async with at_work(restarted):
        await mailbox.next_letter(to="ada@example.com")
    assert len(mailbox.letters) == 1


async def test_sender_outlives_an_outage_of_the_database(
    office: PostOffice, mailbox: Mailbox, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender_module, "_LOOK_EVERY", timedelta(milliseconds=10))
    await office.post()
    disk.broken = True
    looked = disk.expect("min(outbox.next_attempt_at)")
    async with at_work(office):
        await looked.wait()
        disk.broken = False
        await mailbox.next_letter(to="ada@example.com")


async def test_letter_that_is_out_is_marked_even_when_the_database_fails_in_between(
    office: PostOffice, disk: Disk
) -> None:
    slow = _Slow()
    sending = PostOffice(office.database, transport=slow)
    await sending.post()
    delivery = asyncio.create_task(sending.send_what_is_due())
    await slow.began.wait()
    disk.broken = True
    tried = disk.expect("BEGIN IMMEDIATE")
    slow.may_end.set()
    await tried.wait()
    disk.broken = False
    assert await delivery == 1
    assert await rows(office.database) == [(True, False, 1)]
    assert slow.sent == 1


async def test_what_is_under_way_when_the_gateway_ends_is_finished(office: PostOffice) -> None:
    slow = _Slow()
    ending = PostOffice(office.database, transport=slow)
    await ending.post()
    task = asyncio.create_task(ending.sender.run())
    await slow.began.wait()
    task.cancel()
    slow.may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await rows(office.database) == [(True, False, 1)]


async def test_gateway_ends_although_a_server_does_not_answer(
    office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender_module, "_PATIENCE_AT_THE_END", timedelta(milliseconds=10))
    slow = _Slow()
    ending = PostOffice(office.database, transport=slow)
    await ending.post()
    task = asyncio.create_task(ending.sender.run())
    await slow.began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await rows(office.database) == [(False, True, 1)]


def _found_in(folder: Path, text: bytes) -> list[str]:
    """Name the files of the database that hold this; what was just written is in its -wal."""
    return [file.name for file in folder.glob("gateway.db*") if text in file.read_bytes()]


class _Slow:
    """Takes a letter only when it is told to."""

    def __init__(self) -> None:
        self.began = asyncio.Event()
        self.may_end = asyncio.Event()
        self.sent = 0

    async def send(self, _letter: PostedLetter, _message: EmailMessage) -> str:
        self.began.set()
        await self.may_end.wait()
        self.sent += 1
        return "nowhere"


class _Death(Exception):
    pass


class _Dying:
    """Stands for a process that is killed while it sends."""

    async def send(self, _letter: PostedLetter, _message: EmailMessage) -> str:
        raise _Death
