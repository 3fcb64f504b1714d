"""A gateway whose mail server goes away: what was to be said is said, once, by whoever runs then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import time_machine
from sqlalchemy import text

from gateway.config.database_url import SqliteFile
from gateway.storage.database import Database
from tests.support.commands import run_gateway
from tests.support.gateway import ADMIN_EMAIL, environment, start_gateway
from tests.support.letters import text_of
from tests.support.outbox import letters_in, read_letter
from tests.support.smtp import Mailbox
from tests.support.waiting import wait_until


async def reset_password(environ: dict[str, str]) -> None:
    """Cause a letter, as an operator at the shell does."""
    finished = await run_gateway("user", "reset-password", ADMIN_EMAIL, environ=environ)
    assert finished.code == 0, finished.err


async def attempts(data_dir: Path) -> list[tuple[int, bool]]:
    """Give for each letter how often it was tried, and whether it is out."""
    database = Database.open(SqliteFile(data_dir / "gateway.db"))
    async with database.read() as connection:
        rows = await connection.execute(text("SELECT attempts, sent_at FROM outbox ORDER BY created_at"))
        found = [(row.attempts, row.sent_at is not None) for row in rows]
    await database.close()
    return found


async def test_mail_arrives_once_when_the_server_was_down_and_the_gateway_restarted(
    tmp_path: Path, mailbox: Mailbox
) -> None:
    environ = environment(tmp_path, **mailbox.environment)
    await mailbox.stop()
    async with start_gateway(environ):
        await reset_password(environ)

        async def was_tried() -> bool:
            return await attempts(tmp_path) == [(1, False)]

        await wait_until(was_tried, seconds=30)
    assert not mailbox.letters
    await mailbox.start_again()
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=10)):
        async with start_gateway(environ):
            letter = await mailbox.next_letter(to=ADMIN_EMAIL)
            assert "was changed" in letter["Subject"]
            assert "Hello" in text_of(letter)
            # Another letter, sent after everything that was due before it, comes second and not third.
            await reset_password(environ)
            await mailbox.next_letter(to=ADMIN_EMAIL)
        assert len(mailbox.letters) == 2
        assert [out for _, out in await attempts(tmp_path)] == [True, True]
    assert len({letter["Message-ID"] for letter in mailbox.letters}) == 2


async def test_letters_are_files_where_nothing_else_is_configured(tmp_path: Path) -> None:
    environ = environment(tmp_path)
    async with start_gateway(environ):
        await reset_password(environ)
        letter = await read_letter(tmp_path, to=ADMIN_EMAIL, subject="password")
    assert "http://localhost:9091" in text_of(letter)
    assert len(letters_in(tmp_path)) == 1


async def test_without_mail_the_gateway_works_and_keeps_none(tmp_path: Path) -> None:
    environ = environment(tmp_path, GATEWAY_MAIL__TRANSPORT="none")
    async with start_gateway(environ):
        await reset_password(environ)
    assert await attempts(tmp_path) == []
    assert letters_in(tmp_path) == []
