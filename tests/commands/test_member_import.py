"""`gateway member import` beside a running gateway."""

from __future__ import annotations

import csv
import io
from http import HTTPStatus
from typing import Any

from tests.support.commands import Finished, run_command, run_gateway
from tests.support.gateway import ADMIN_EMAIL, Gateway
from tests.support.letters import text_of
from tests.support.outbox import read_letter

ANN, BOB = "ann@example.com", "bob@example.com"
GOOD = f"email;full_name;role;workspaces\n{ANN};Ann;operator;Default\n{BOB};;;\n"
BAD = f"email,full_name,role,workspaces\n{ANN},Ann,king,\n{BOB},,,\n{ADMIN_EMAIL},,,Nowhere\n"


async def import_list(gateway: Gateway, content: str, *options: str, **more: str) -> Finished:
    environ = {
        "GATEWAY_DATA_DIR": str(gateway.settings.data_dir),
        "GATEWAY_PUBLIC_URL": gateway.settings.public_url,
        **more,
    }
    return await run_gateway("member", "import", "-", *options, environ=environ, stdin=content)


async def people(gateway: Gateway) -> dict[str, Any]:
    listed = (await run_command(gateway, "member", "list", "--json")).json
    return {member["email"]: member for member in listed if member["email"] != ADMIN_EMAIL}


async def test_everybody_comes_in_and_the_passwords_are_printed_once_as_csv(gateway: Gateway) -> None:
    finished = await import_list(gateway, GOOD)
    assert finished.code == 0, finished.err
    assert "2 people added" in finished.err
    printed = list(csv.DictReader(io.StringIO(finished.out)))
    assert [one["email"] for one in printed] == [ANN, BOB]
    for one in printed:
        assert (await gateway.log_in(one["email"], one["password"])).status == HTTPStatus.OK
        assert one["password"] not in finished.err
    found = await people(gateway)
    assert (found[ANN]["name"], found[ANN]["role"]) == ("Ann", "Organization Operator")
    assert all(member["must_change_password"] for member in found.values())


async def test_of_a_list_with_bad_rows_nobody_comes_in_and_each_is_reported(gateway: Gateway) -> None:
    finished = await import_list(gateway, BAD)
    assert finished.code == 1
    assert finished.out == ""
    reported = [line.split(":")[0] for line in finished.err.splitlines() if line.startswith("line ")]
    assert reported == ["line 2, role", "line 4, email", "line 4, workspaces"]
    assert "2 rows of 3" in finished.err
    assert await people(gateway) == {}


async def test_bad_rows_are_skipped_where_that_is_wished(gateway: Gateway) -> None:
    finished = await import_list(gateway, BAD, "--skip-bad-rows", "--json")
    assert finished.code == 0
    assert "line 2, role" in finished.err
    [added] = finished.json
    assert (added["email"], list(await people(gateway))) == (BOB, [BOB])
    assert (await gateway.log_in(BOB, added["password"])).status == HTTPStatus.OK


async def test_list_without_one_good_row_is_no_success(gateway: Gateway) -> None:
    for options in ((), ("--dry-run",)):
        finished = await import_list(gateway, f"email\n{ADMIN_EMAIL}\n", "--skip-bad-rows", *options)
        assert (finished.code, finished.out) == (1, "")
        assert "nobody was added: one row of 1 cannot be taken" in finished.err


async def test_dry_run_reports_and_adds_nobody(gateway: Gateway) -> None:
    assert (await import_list(gateway, BAD, "--dry-run")).code == 1
    finished = await import_list(gateway, GOOD, "--dry-run")
    assert (finished.code, finished.out) == (0, "")
    assert "2 people would be added" in finished.err
    assert (await import_list(gateway, GOOD, "--dry-run", "--json")).json == []
    assert await people(gateway) == {}


async def test_mailed_passwords_are_not_printed(gateway: Gateway) -> None:
    finished = await import_list(gateway, GOOD, "--send-mail")
    assert (finished.code, finished.out) == (0, "")
    for email in (ANN, BOB):
        assert "Your first password" in text_of(await read_letter(gateway.settings.data_dir, to=email))


async def test_where_no_mail_is_sent_none_is_promised(gateway: Gateway) -> None:
    finished = await import_list(gateway, GOOD, "--send-mail", GATEWAY_MAIL__TRANSPORT="none")
    assert finished.code != 0
    assert "mail.transport" in finished.err
    assert await people(gateway) == {}


async def test_list_that_cannot_be_read_is_said(gateway: Gateway) -> None:
    finished = await import_list(gateway, f"mail\n{ANN}\n")
    assert finished.code == 1
    assert "not known: 'mail'" in finished.err
