"""`gateway mail test`: one letter at once, and what happened to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.certificate import CertificateFiles
from tests.support.commands import Finished, run_gateway
from tests.support.outbox import letters_in
from tests.support.smtp import Mailbox, start_mailbox


async def send(tmp_path: Path, *, to: str = "ada@example.com", **environ: str) -> Finished:
    return await run_gateway("mail", "test", "--to", to, environ={"GATEWAY_DATA_DIR": str(tmp_path), **environ})


async def test_letter_is_sent_at_once(tmp_path: Path, mailbox: Mailbox) -> None:
    finished = await send(tmp_path, **mailbox.environment)
    assert finished.code == 0, finished.err
    assert finished.out == f"The letter to ada@example.com went to localhost:{mailbox.port} (none).\n"
    assert mailbox.recipients == ["ada@example.com"]


async def test_letter_is_written_into_the_folder(tmp_path: Path) -> None:
    finished = await send(tmp_path)
    assert finished.code == 0, finished.err
    [letter] = letters_in(tmp_path)
    assert letter["To"] == "ada@example.com"
    assert str(tmp_path / "outbox") in finished.out


async def test_server_that_is_down_is_said_with_what_may_help(tmp_path: Path, mailbox: Mailbox) -> None:
    await mailbox.stop()
    finished = await send(tmp_path, **mailbox.environment)
    assert finished.code == 1
    assert f"no connection to localhost:{mailbox.port}" in finished.err or "nothing listens" in finished.err
    assert "What may help: " in finished.err
    assert "mail.port" in finished.err
    assert "Traceback" not in finished.err


async def test_unknown_host_is_said(tmp_path: Path, mailbox: Mailbox) -> None:
    finished = await send(tmp_path, **{**mailbox.environment, "GATEWAY_MAIL__HOST": "mail.invalid"})
    assert finished.code == 1
    assert "nobody knows the host" in finished.err


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_bad_certificate_is_said(tmp_path: Path, certificate: CertificateFiles, security: str) -> None:
    async with start_mailbox(security=security, certificate=certificate) as mailbox:
        finished = await send(tmp_path, **{**mailbox.environment, "GATEWAY_MAIL__CA_FILE": ""})
    assert finished.code == 1
    assert "certificate" in finished.err
    assert "mail.ca_file" in finished.err


async def test_refused_login_is_said_without_the_password(tmp_path: Path, certificate: CertificateFiles) -> None:
    async with start_mailbox(security="tls", certificate=certificate, username="u", password="right") as mailbox:
        finished = await send(tmp_path, **{**mailbox.environment, "GATEWAY_MAIL__PASSWORD": "wr0ng-one"})
    assert finished.code == 1
    assert "refused the login" in finished.err
    assert "wr0ng-one" not in finished.err


async def test_without_mail_it_says_so(tmp_path: Path) -> None:
    finished = await send(tmp_path, GATEWAY_MAIL__TRANSPORT="none")
    assert finished.code == 1
    assert "mail.transport is none" in finished.err


async def test_address_is_checked(tmp_path: Path) -> None:
    finished = await send(tmp_path, to="nobody")
    assert finished.code == 2
    assert "one @" in finished.err
