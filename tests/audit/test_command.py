"""`gateway audit`: what it shows, and what it says of a log that was touched."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from gateway.audit.events import Circumstances, EventKind, record, under
from gateway.audit.sealing import Sealer
from gateway.audit.seals import AuditSeals
from gateway.config.loading import load_settings
from gateway.config.secrets import load_secrets
from gateway.models import Account
from gateway.preparation import settle_secrets
from gateway.storage.audit_events import EventFilter, read_newest
from gateway.storage.database import Database
from gateway.storage.migrate import migrate
from tests.support.audit import record_events, seal_everything, touch
from tests.support.commands import Finished, run_gateway
from tests.support.database import add_account

ADA = "ada@example.com"
HOSTILE = "\x1b[2J\r\nforged line\x9b\u202e\x07 \x7f"


@dataclass(frozen=True, slots=True)
class Shell:
    """A shell beside a database that a gateway has used."""

    database: Database
    environ: dict[str, str]
    seals: AuditSeals
    ada: Account

    async def run(self, *arguments: str, **environ: str) -> Finished:
        return await run_gateway("audit", *arguments, environ={**self.environ, **environ})

    async def seal(self) -> None:
        await seal_everything(self.database, Sealer(self.database, seals=self.seals))


@pytest.fixture
async def shell(tmp_path: Path) -> AsyncIterator[Shell]:
    environ = {"GATEWAY_DATA_DIR": str(tmp_path)}
    settings = load_settings(None, (), environ).settings
    secrets = load_secrets(settings)
    database = Database.open(settings.database)
    try:
        await migrate(database)
        await settle_secrets(secrets, database)
        yield Shell(database, environ, AuditSeals(secrets.derive_lasting("audit")), await add_account(database, ADA))
    finally:
        await database.close()


async def _record(
    shell: Shell,
    kind: EventKind,
    *,
    by: str | None = None,
    succeeded: bool = True,
    ago: timedelta = timedelta(0),
    **details: str,
) -> None:
    circumstances = Circumstances(client_address="192.0.2.1", request_id="r1", actor=by)
    with time_machine.travel(datetime.now(UTC) - ago), under(circumstances):
        async with shell.database.write() as connection:
            await record(connection, kind, account=shell.ada, succeeded=succeeded, **details)


async def test_list_tells_who_what_when_from_where_newest_first(shell: Shell) -> None:
    await _record(shell, EventKind.LOGIN, succeeded=False, ago=timedelta(minutes=2))
    await _record(shell, EventKind.LOGIN, session_id="s1", ago=timedelta(minutes=1))
    await _record(shell, EventKind.ACCOUNT_DISABLED, by="command line (root)")
    heading, *lines = (await shell.run("list")).out.splitlines()
    assert heading.split() == ["TIME", "EVENT", "RESULT", "ACCOUNT", "BY", "FROM", "REQUEST", "DETAILS"]
    rows = [[cell for cell in line.split("  ") if cell] for line in lines]
    told = [[cell.strip() for cell in row[1:]] for row in rows]
    assert told == [
        ["account_disabled", "ok", ADA, "command line (root)", "192.0.2.1", "r1", "-"],
        ["login", "ok", ADA, "themselves", "192.0.2.1", "r1", "session_id: s1"],
        ["login", "failed", ADA, "-", "192.0.2.1", "r1", "-"],
    ]


async def test_list_is_filtered(shell: Shell) -> None:
    bob = await add_account(shell.database, "bob@example.com")
    await _record(shell, EventKind.LOGIN, ago=timedelta(days=3))
    await _record(shell, EventKind.LOGIN, succeeded=False, ago=timedelta(hours=5))
    await _record(shell, EventKind.ACCOUNT_ENABLED, by=bob.id)
    await record_events(shell.database)

    day, hour = datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) - timedelta(hours=1)

    async def kinds(wanted: EventFilter, limit: int = 50) -> list[tuple[str, bool]]:
        async with shell.database.read() as connection:
            return [(event.kind, event.succeeded) for event in await read_newest(connection, wanted, limit=limit)]

    group, enabled = ("group_changed", True), ("account_enabled", True)
    failed, login = ("login", False), ("login", True)
    assert await kinds(EventFilter()) == [group, enabled, failed, login]
    assert await kinds(EventFilter(kinds=("login",))) == [failed, login]
    assert await kinds(EventFilter(kinds=("login", "group_changed")), limit=2) == [group, failed]
    assert await kinds(EventFilter(succeeded=False)) == [failed]
    assert await kinds(EventFilter(since=day)) == [group, enabled, failed]
    assert await kinds(EventFilter(until=day)) == [login]
    assert await kinds(EventFilter(since=day, until=hour)) == [failed]
    assert await kinds(EventFilter(email=ADA)) == [enabled, failed, login]
    assert await kinds(EventFilter(email=bob.email)) == [enabled], "what somebody did is found as well"


async def test_options_choose_the_events(shell: Shell) -> None:
    for ago in (timedelta(days=3), timedelta(hours=5), timedelta(minutes=1)):
        await _record(shell, EventKind.LOGIN, succeeded=False, ago=ago)
        await _record(shell, EventKind.LOGIN, ago=ago)
        await _record(shell, EventKind.ACCOUNT_ENABLED, succeeded=False, ago=ago)
    options = ("--since", "24h", "--until", "1h", "--kind", "login", "--account", ADA, "--failed", "--limit", "7")
    found = (await shell.run("list", "--json", *options)).json
    assert [(event["kind"], event["succeeded"]) for event in found] == [("login", False)]
    assert datetime.fromisoformat(found[0]["at"]) < datetime.now(UTC) - timedelta(hours=4)
    finished = await shell.run("list", "--since", "2000-01-01", "--until", "2000-01-02T00:00:00Z")
    assert finished.out == "No event matches.\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("list", "--since", "yesterday"), "24h"),
        (("list", "--since", "2026"), "24h"),
        (("list", "--kind", "logout"), "session_ended"),
        (("list", "--account", "ada"), "@"),
        (("list", "--limit", "0"), "1"),
        (("export", "--format", "xml"), "jsonl"),
        (("export", "--output", "/nowhere/at/all"), "/nowhere/at/all"),
        (("verify", "--head", "17"), "64 hexadecimal digits"),
        (("verify", "--head", f"0:{'00' * 32}"), "64 hexadecimal digits"),
    ],
)
async def test_mistake_is_named_without_a_traceback(shell: Shell, arguments: tuple[str, ...], said: str) -> None:
    finished = await shell.run(*arguments)
    assert finished.code != 0
    assert said in finished.err
    assert "Traceback" not in finished.err


async def test_values_from_outside_forge_no_line_and_move_no_cursor(shell: Shell) -> None:
    """W5."""
    await _record(shell, EventKind.LOGIN, by=HOSTILE, reason=HOSTILE)
    await touch(shell.database, "UPDATE audit_events SET email = :hostile, kind = :hostile", hostile=HOSTILE)
    for arguments in (("list",), ("list", "--json"), ("export",), ("export", "--format", "csv")):
        out = (await shell.run(*arguments)).out
        assert "forged line" in out
        assert not [one for one in out.replace("\n", "") if not one.isprintable()], arguments
        assert not [line for line in out.splitlines() if line.startswith("forged")], arguments
    assert (await shell.run("list", "--json")).json[0]["email"] == HOSTILE, "programs read it as it was"


async def test_export_is_whole_and_oldest_first(shell: Shell) -> None:
    await record_events(shell.database, 1200)
    await shell.seal()
    await record_events(shell.database, 1)
    events = [json.loads(line) for line in (await shell.run("export")).out.splitlines()]
    assert [event["number"] for event in events] == [*range(1, 1201), None]
    assert events[0]["details"] == {"change": "added", "group": "group 0"}
    assert len(bytes.fromhex(events[0]["seal"])) == 32
    assert {"id", "at", "kind", "succeeded", "actor", "account_id", "email", "client_address", "request_id"} < events[
        0
    ].keys()


async def test_export_goes_into_a_file_of_its_owner(shell: Shell, tmp_path: Path) -> None:
    await record_events(shell.database, 3)
    file = tmp_path / "audit.jsonl"
    finished = await shell.run("export", "--output", str(file), "--kind", "group_changed")
    assert (finished.code, finished.out) == (0, "")
    assert len(file.read_text().splitlines()) == 3
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)"])
async def test_csv_holds_no_formula(shell: Shell, formula: str) -> None:
    await _record(shell, EventKind.ACCOUNT_ENABLED, by=formula, note='a "quoted", divided one')
    rows = list(csv.DictReader(io.StringIO((await shell.run("export", "--format", "csv")).out)))
    assert [row["actor"] for row in rows] == [f"'{formula}"]
    assert json.loads(rows[0]["details"]) == {"note": 'a "quoted", divided one'}
    assert (rows[0]["succeeded"], rows[0]["number"]) == ("true", "")


async def test_good_log_is_verified_with_its_head(shell: Shell) -> None:
    await record_events(shell.database, 4)
    await shell.seal()
    await record_events(shell.database, 2)
    finished = await shell.run("verify")
    assert finished.code == 0, finished.err
    assert "4 rows, from 20" in finished.out
    assert "2 rows are not sealed yet" in finished.out
    [head] = [line.removeprefix("Head: ") for line in finished.out.splitlines() if line.startswith("Head: 4:")]
    assert (await shell.run("verify", "--head", head)).code == 0
    await touch(shell.database, "DELETE FROM audit_events WHERE number = 4")
    cut = await shell.run("verify", "--head", head)
    assert cut.code == 1
    assert "row 4 is missing at the end" in cut.err


async def test_touched_log_is_refused_with_its_first_row(shell: Shell) -> None:
    await record_events(shell.database, 9)
    await shell.seal()
    await touch(shell.database, "UPDATE audit_events SET succeeded = 0 WHERE number IN (5, 7)")
    finished = await shell.run("verify")
    assert (finished.code, finished.out) == (1, "")
    assert "row 5 was altered" in finished.err


async def test_unreadable_row_is_said_without_a_traceback(shell: Shell) -> None:
    await record_events(shell.database, 3)
    await shell.seal()
    await touch(shell.database, "UPDATE audit_events SET at = 'never' WHERE number = 2")
    for arguments, said in ((("verify",), "row 2 cannot be read"), (("list",), "gateway audit verify")):
        finished = await shell.run(*arguments)
        assert finished.code == 1
        assert said in finished.err
        assert "Traceback" not in finished.err


async def test_wrong_key_is_said_as_such(shell: Shell) -> None:
    await record_events(shell.database, 3)
    await shell.seal()
    finished = await shell.run("verify", GATEWAY_ENCRYPTION_KEY="quite another key of forty characters...")
    assert finished.code == 1
    assert "the encryption key differs" in finished.err


async def test_empty_log_is_good(shell: Shell) -> None:
    finished = await shell.run("verify")
    assert finished.code == 0
    assert "Nothing is sealed yet" in finished.out
