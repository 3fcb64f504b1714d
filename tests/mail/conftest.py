from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.config.loading import load_settings
from gateway.credentials.sealed_box import SealedBox
from gateway.mail.letters import Letterhead, Letters
from gateway.mail.outbox import MailKind, Outbox
from gateway.mail.sender import MailSender
from gateway.mail.transports import Transport, make_transport
from gateway.storage.database import Database
from tests.support.certificate import CertificateFiles, self_signed_certificate
from tests.support.smtp import Mailbox, start_mailbox

KEY = b"k" * 32
PUBLIC_URL = "https://auth.example.com"
LINK = f"{PUBLIC_URL}/reset-password?token=s3cret-token"


class PostOffice:
    """The outbox of one process and who sends from it."""

    def __init__(self, database: Database, *, transport: Transport, key: bytes = KEY) -> None:
        self.database = database
        self.outbox = Outbox(box=SealedBox(key), enabled=True)
        settings = load_settings(None, (), {"GATEWAY_PUBLIC_URL": PUBLIC_URL}).settings
        letters = Letters(Letterhead.of(settings))
        self.sender = MailSender(database, outbox=self.outbox, letters=letters, transport=transport)

    async def post(self, to: str = "ada@example.com", *, lifetime: timedelta = timedelta(hours=1)) -> None:
        now = datetime.now(UTC)
        async with self.database.write() as connection:
            await self.outbox.post(
                connection,
                MailKind.PASSWORD_RESET,
                to=to,
                now=now,
                expires_at=now + lifetime,
                name="Ada",
                link=LINK,
                expires_in="1 hour",
                client_address="192.0.2.1",
            )

    async def send_what_is_due(self) -> int:
        tried = 0
        while await self.sender.send_next():
            tried += 1
        return tried


def transport_with(environ: dict[str, str], **more: str) -> Transport:
    """Make the transport that a gateway with this environment has."""
    transport = make_transport(load_settings(None, (), {**environ, **more}).settings)
    assert transport is not None
    return transport


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    """A server that takes mail from everybody."""
    async with start_mailbox() as running:
        yield running


@pytest.fixture
def office(database: Database, mailbox: Mailbox) -> PostOffice:
    """A process that sends to that server."""
    return PostOffice(database, transport=transport_with(mailbox.environment))


@pytest.fixture
def certificate(tmp_path: Path) -> CertificateFiles:
    """A certificate for the name under which mailboxes are reached."""
    return self_signed_certificate(tmp_path, "localhost")
