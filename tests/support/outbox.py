"""The letters that a gateway with `mail.transport: file` (the default) has written."""

from __future__ import annotations

import asyncio
import email
import email.policy
from email.message import EmailMessage
from pathlib import Path

_PATIENCE_SECONDS = 30


def letters_in(data_dir: Path) -> list[EmailMessage]:
    """Give every letter so far, oldest first."""
    return [
        email.message_from_bytes(path.read_bytes(), policy=email.policy.SMTPUTF8)
        for path in sorted((data_dir / "outbox").glob("*.eml"))
    ]


async def read_letter(data_dir: Path, *, to: str, subject: str = "", number: int = 1) -> EmailMessage:
    """Wait for a letter to somebody whose subject holds this text, the first one or a later `number`.

    Raises `TimeoutError` when it does not come.
    """
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while len(found := [letter for letter in letters_in(data_dir) if _fits(letter, to, subject)]) < number:  # noqa: ASYNC110 - another process may write them
            await asyncio.sleep(0.01)
    return found[number - 1]


def _fits(letter: EmailMessage, to: str, subject: str) -> bool:
    return letter["To"] == to and subject.lower() in letter["Subject"].lower()
