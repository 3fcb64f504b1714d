"""Mail that waits: written in the transaction of what causes it, sealed, and sent by `sender`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import uuid4

from gateway.storage.outbox import insert_letter

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.credentials.sealed_box import SealedBox
    from gateway.storage.outbox import StoredLetter

# Whoever has not got it by then has asked again, or knows.
_WORTH_SENDING_FOR = timedelta(days=3)

# Never due, and deleted by the sender's next look.
TO_NOBODY = "to_nobody"


class MailKind(StrEnum):
    """Each kind has its templates in `templates/mail/`: the name with `.txt` and `.html`.

    What a letter says beside its name comes from whoever posts it, all of it text. Links begin with the public URL.
    """

    VERIFY_EMAIL = "verify_email"  # name, link, expires_in ("24 hours")
    PASSWORD_RESET = "password_reset"  # noqa: S105 - the name of a letter: name, link, expires_in, client_address
    ALREADY_REGISTERED = "already_registered"  # name, login_link, reset_link (empty where there is no reset)
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - the name of a letter: name
    NEW_DEVICE = "new_device"  # name, client_address, user_agent, at
    SECOND_FACTOR_CHANGED = "second_factor_changed"  # name, change (a sentence)
    INVITATION = "invitation"  # name, email, link, password (empty where it is handed over by another way)
    TEST = "test"  # nothing


@dataclass(frozen=True, slots=True)
class PostedLetter:
    """A letter that was opened: to whom, and what its templates are filled in with."""

    id: str
    kind: MailKind
    to: str
    posted_at: datetime
    context: Mapping[str, str]


class Outbox:
    """Where every letter is posted. Without a transport none is kept."""

    def __init__(self, *, box: SealedBox, enabled: bool) -> None:
        self._box = box
        self.enabled = enabled
        # Set with each posting, so that a sender in this process need not wait for its next look.
        self.posted = asyncio.Event()

    async def post(
        self,
        connection: AsyncConnection,
        kind: MailKind,
        *,
        to: str,
        now: datetime,
        expires_at: datetime | None = None,
        **context: str,
    ) -> None:
        """Post a letter inside the caller's transaction. `context` fills in its template; links hold credentials."""
        if not self.enabled:
            return
        letter_id = str(uuid4())
        letter = json.dumps({"to": to, "context": context}).encode()
        await insert_letter(
            connection,
            letter_id=letter_id,
            kind=kind.value,
            letter=self._box.seal(letter, place=_place(letter_id)),
            now=now,
            expires_at=expires_at or now + _WORTH_SENDING_FOR,
        )
        self.posted.set()

    async def post_to_nobody(self, connection: AsyncConnection, *, now: datetime) -> None:
        """Do the work of posting without a letter: where there is nobody to write to, time must not tell so."""
        if not self.enabled:
            return
        letter_id = str(uuid4())
        await insert_letter(
            connection,
            letter_id=letter_id,
            kind=TO_NOBODY,
            letter=self._box.seal(b"", place=_place(letter_id)),
            now=now,
            expires_at=now,
        )
        self.posted.set()

    def open(self, stored: StoredLetter) -> PostedLetter:
        """Raise `BrokenSeal` for what another key sealed, ValueError for a kind that this version does not know."""
        letter = json.loads(self._box.open(stored.letter, place=_place(stored.id)))
        return PostedLetter(
            id=stored.id,
            kind=MailKind(stored.kind),
            to=letter["to"],
            posted_at=stored.created_at,
            context=letter["context"],
        )


def _place(letter_id: str) -> str:
    return f"outbox {letter_id}"
