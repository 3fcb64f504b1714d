"""Where letters go: to a server, or into a folder."""

from __future__ import annotations

import asyncio
import os
import secrets
from email.policy import SMTP, SMTPUTF8
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from gateway.mail.failures import Failure, MailFailure
from gateway.mail.smtp import SmtpTransport

if TYPE_CHECKING:
    from email.message import EmailMessage

    from gateway.config.settings import Settings
    from gateway.mail.outbox import PostedLetter

_FOLDER = "outbox"


class Transport(Protocol):
    """Takes a letter and says where it is now. Raises `MailFailure`."""

    async def send(self, letter: PostedLetter, message: EmailMessage) -> str: ...


class FileTransport:
    """Writes each letter into a file of its own, whole or not at all. Their names sort by when they were posted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, letter: PostedLetter, message: EmailMessage) -> str:
        # The same letter has the same name: written twice it is still one.
        path = self._folder / f"{letter.posted_at:%Y%m%dT%H%M%S.%fZ}-{letter.kind}-{letter.id}.eml"
        try:
            await asyncio.to_thread(_write, path, message.as_bytes(policy=SMTP if letter.to.isascii() else SMTPUTF8))
        except OSError as error:
            raise MailFailure(
                Failure.FOLDER,
                f"{self._folder} cannot be written to ({error.strerror})",
                cure="make room, and make the folder writable for the user that Gateway runs as",
            ) from error
        return f"the file {path}"


def make_transport(settings: Settings) -> Transport | None:
    """Make the configured transport; without mail there is none."""
    match settings.mail.transport:
        case "smtp":
            return SmtpTransport(settings.mail, host_name=settings.public_host)
        case "file":
            return FileTransport(settings.data_dir / _FOLDER)
        case "none":
            return None


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        # Without it a power cut may take the name back, and the letter counts as sent.
        os.fsync(folder)
    finally:
        os.close(folder)
