"""Where letters go: a real server with real certificates, and a folder."""

from __future__ import annotations

import asyncio
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.config.loading import load_settings
from gateway.mail.failures import Failure, MailFailure
from gateway.mail.letters import Letterhead, Letters
from gateway.mail.outbox import MailKind, PostedLetter
from gateway.mail.smtp import SmtpTransport
from gateway.mail.transports import FileTransport, Transport, make_transport
from tests.mail.conftest import transport_with
from tests.support.certificate import CertificateFiles, self_signed_certificate
from tests.support.letters import text_of
from tests.support.outbox import letters_in
from tests.support.smtp import Mailbox, start_mailbox

LETTER = PostedLetter("0f1e", MailKind.TEST, "ada@example.com", datetime(2026, 1, 2, 12, 0, tzinfo=UTC), {})
LETTERS = Letters(Letterhead.of(load_settings(None, (), {}).settings))
USERNAME, PASSWORD = "gateway", "mailbox-pässword"


async def send(transport: Transport, letter: PostedLetter = LETTER) -> str:
    return await transport.send(letter, LETTERS.write(letter))


async def failure_of(transport: Transport, letter: PostedLetter = LETTER) -> MailFailure:
    with pytest.raises(MailFailure) as caught:
        await send(transport, letter)
    assert caught.value.cure
    return caught.value


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_letter_goes_over_tls_after_a_login(certificate: CertificateFiles, security: str) -> None:
    async with start_mailbox(
        security=security, certificate=certificate, username=USERNAME, password=PASSWORD
    ) as mailbox:
        assert await send(transport_with(mailbox.environment)) == f"localhost:{mailbox.port} ({security})"
    [letter] = mailbox.letters
    assert "Mail from Gateway works" in letter["Subject"]
    assert "gateway mail test" in text_of(letter)
    assert mailbox.senders == ["gateway@localhost"]


async def test_letter_goes_to_a_server_without_tls_when_that_is_configured(mailbox: Mailbox) -> None:
    await send(transport_with(mailbox.environment))
    assert mailbox.recipients == ["ada@example.com"]


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_certificate_of_an_unknown_authority_is_refused(certificate: CertificateFiles, security: str) -> None:
    async with start_mailbox(
        security=security, certificate=certificate, username=USERNAME, password=PASSWORD
    ) as mailbox:
        environ = mailbox.environment
        del environ["GATEWAY_MAIL__CA_FILE"]
        failure = await failure_of(transport_with(environ))
    assert failure.failure is Failure.CERTIFICATE
    assert "mail.ca_file" in failure.cure
    assert not mailbox.letters


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_certificate_for_another_name_is_refused(tmp_path: Path, security: str) -> None:
    certificate = self_signed_certificate(tmp_path, "mail.example.com")
    async with start_mailbox(
        security=security, certificate=certificate, username=USERNAME, password=PASSWORD
    ) as mailbox:
        failure = await failure_of(transport_with(mailbox.environment))
    assert failure.failure is Failure.CERTIFICATE
    assert not mailbox.letters


async def test_password_is_never_sent_where_starttls_was_taken_away(mailbox: Mailbox) -> None:
    environ = {**mailbox.environment, "GATEWAY_MAIL__SECURITY": "starttls"}
    failure = await failure_of(transport_with(environ))
    assert failure.failure is Failure.TLS
    assert "offers no STARTTLS" in failure.sentence


async def test_wrong_password_is_told_apart(certificate: CertificateFiles) -> None:
    async with start_mailbox(
        security="starttls", certificate=certificate, username=USERNAME, password=PASSWORD
    ) as mailbox:
        failure = await failure_of(transport_with(mailbox.environment, GATEWAY_MAIL__PASSWORD="another one"))
    assert failure.failure is Failure.LOGIN
    assert not failure.permanent
    assert "another one" not in f"{failure.sentence}{failure.cure}"


async def test_missing_login_is_told_apart_from_a_bad_recipient(certificate: CertificateFiles) -> None:
    async with start_mailbox(security="tls", certificate=certificate, username=USERNAME, password=PASSWORD) as mailbox:
        environ = mailbox.environment
        del environ["GATEWAY_MAIL__USERNAME"], environ["GATEWAY_MAIL__PASSWORD"]
        failure = await failure_of(transport_with(environ))
    assert failure.failure is Failure.LOGIN
    assert not failure.permanent


async def test_server_without_login_is_told_apart(mailbox: Mailbox) -> None:
    more = {"GATEWAY_MAIL__USERNAME": "gateway", "GATEWAY_MAIL__PASSWORD": "p"}
    assert (await failure_of(transport_with(mailbox.environment, **more))).failure is Failure.LOGIN


@pytest.mark.parametrize(
    ("reply", "failure", "permanent"),
    [
        ("550 5.1.1 <ada@example.com>: no such mailbox", Failure.RECIPIENT, True),
        ("550 no such mailbox", Failure.RECIPIENT, True),
        ("450 4.2.0 greylisted, come back", Failure.RECIPIENT, False),
        ("554 5.7.1 <ada@example.com>: relay access denied", Failure.LOGIN, False),
    ],
)
async def test_refused_recipient_is_final_unless_the_server_refuses_us(
    mailbox: Mailbox,
    reply: str,
    failure: Failure,
    permanent: bool,  # noqa: FBT001 - a column
) -> None:
    mailbox.replies["ada@example.com"] = reply
    told = await failure_of(transport_with(mailbox.environment))
    assert (told.failure, told.permanent) == (failure, permanent)
    assert reply[:3] in told.sentence
    assert "ada@example.com" not in told.sentence


async def test_unknown_host_is_told_apart(mailbox: Mailbox) -> None:
    failure = await failure_of(transport_with(mailbox.environment, GATEWAY_MAIL__HOST="mail.invalid"))
    assert failure.failure is Failure.UNKNOWN_HOST


async def test_server_that_is_down_is_told_apart(mailbox: Mailbox) -> None:
    await mailbox.stop()
    assert (await failure_of(transport_with(mailbox.environment))).failure is Failure.UNREACHABLE


async def test_tls_on_the_wrong_port_is_told_apart(mailbox: Mailbox) -> None:
    failure = await failure_of(transport_with(mailbox.environment, GATEWAY_MAIL__SECURITY="tls"))
    assert failure.failure is Failure.TLS
    assert "mail.security" in failure.cure


async def test_server_that_never_answers_is_given_up() -> None:
    async with start_mailbox(silent=True) as mailbox:
        settings = load_settings(None, (), mailbox.environment).settings.mail
        transport = SmtpTransport(settings, host_name="localhost", deadline=timedelta(milliseconds=50))
        async with asyncio.timeout(10):
            failure = await failure_of(transport)
    assert failure.failure is Failure.TIMEOUT


async def test_address_beyond_ascii_reaches_a_server_that_knows_it(mailbox: Mailbox) -> None:
    await send(transport_with(mailbox.environment), replace(LETTER, to="jörg@example.com"))
    assert mailbox.recipients == ["jörg@example.com"]
    assert mailbox.letters[0]["To"] == "jörg@example.com"


async def test_address_beyond_ascii_is_given_up_where_the_server_does_not_know_it() -> None:
    async with start_mailbox(smtputf8=False) as mailbox:
        failure = await failure_of(transport_with(mailbox.environment), replace(LETTER, to="jörg@example.com"))
    assert (failure.failure, failure.permanent) == (Failure.RECIPIENT, True)


async def test_file_is_one_letter_that_only_its_owner_reads(tmp_path: Path) -> None:
    folder = tmp_path / "outbox"
    place = await send(FileTransport(folder))
    [path] = folder.iterdir()
    assert place == f"the file {path}"
    assert path.name == "20260102T120000.000000Z-test-0f1e.eml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [letter["To"] for letter in letters_in(tmp_path)] == ["ada@example.com"]


async def test_names_of_files_sort_by_time(tmp_path: Path) -> None:
    transport = FileTransport(tmp_path / "outbox")
    for minutes in (2, 0, 1):
        posted_at = LETTER.posted_at + timedelta(minutes=minutes)
        await send(transport, replace(LETTER, id=f"{9 - minutes}", to=f"{minutes}@example.com", posted_at=posted_at))
    assert [letter["To"] for letter in letters_in(tmp_path)] == ["0@example.com", "1@example.com", "2@example.com"]


async def test_letter_that_is_written_twice_is_one_file(tmp_path: Path) -> None:
    transport = FileTransport(tmp_path / "outbox")
    await send(transport)
    await send(transport)
    assert len(letters_in(tmp_path)) == 1


async def test_file_with_an_address_beyond_ascii_can_be_read(tmp_path: Path) -> None:
    await send(FileTransport(tmp_path / "outbox"), replace(LETTER, to="jörg@example.com"))
    assert [letter["To"] for letter in letters_in(tmp_path)] == ["jörg@example.com"]


async def test_folder_that_cannot_be_used_is_told_and_nothing_is_left_behind(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("a file")
    failure = await failure_of(FileTransport(tmp_path / "outbox"))
    assert failure.failure is Failure.FOLDER
    assert (tmp_path / "outbox").read_text() == "a file"


async def test_letter_that_cannot_take_its_name_leaves_no_draft(tmp_path: Path) -> None:
    folder = tmp_path / "outbox"
    (folder / "20260102T120000.000000Z-test-0f1e.eml" / "in the way").mkdir(parents=True)
    failure = await failure_of(FileTransport(folder))
    assert failure.failure is Failure.FOLDER
    assert [path.is_dir() for path in folder.iterdir()] == [True]


def test_without_mail_there_is_no_transport() -> None:
    assert make_transport(load_settings(None, (), {"GATEWAY_MAIL__TRANSPORT": "none"}).settings) is None
