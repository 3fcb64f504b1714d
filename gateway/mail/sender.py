"""The one who sends what waits in the outbox: in each process one, and of all of them one for each letter."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog

from gateway.credentials.sealed_box import BrokenSeal
from gateway.errors import Unavailable
from gateway.mail.failures import MailFailure
from gateway.mail.letters import Unwritable
from gateway.mail.outbox import TO_NOBODY
from gateway.storage.outbox import (
    StoredLetter,
    claim_letter,
    delete_expired_letters,
    delete_letter,
    find_next_attempt,
    mark_letter_sent,
    postpone_letter,
)

if TYPE_CHECKING:
    from gateway.mail.letters import Letters
    from gateway.mail.outbox import Outbox, PostedLetter
    from gateway.mail.transports import Transport
    from gateway.storage.database import Database

_log = structlog.get_logger("gateway.mail")

# Letters that other processes post wake nobody here.
_LOOK_EVERY = timedelta(seconds=3)

# How long a claimed letter is out of the others' reach; well above the deadline of a transport.
_CLAIM = timedelta(minutes=2)

_FIRST_PAUSE = timedelta(seconds=5)
_LONGEST_PAUSE = timedelta(hours=1)

# What is under way when the gateway ends may still finish; a letter cut off in between would be sent twice.
_PATIENCE_AT_THE_END = timedelta(seconds=5)


class MailSender:
    """Sends outside of any transaction; what it has done and what remains is in the table only."""

    def __init__(self, database: Database, *, outbox: Outbox, letters: Letters, transport: Transport) -> None:
        self._database = database
        self._outbox = outbox
        self._letters = letters
        self._transport = transport

    async def run(self) -> None:
        """Send what is due, until cancelled."""
        pause = timedelta(0)
        while True:
            posted = await self._wait(pause)
            try:
                pause = await self._send_what_is_due(posted=posted)
            except Unavailable:
                pause = _LOOK_EVERY

    async def _send_what_is_due(self, *, posted: bool) -> timedelta:
        """Give the time until the next look."""
        due_in = await self._time_until_due()
        # Whoever posted may not have committed yet. Looking by a write queues up behind that transaction.
        if posted or due_in <= timedelta(0):
            while await self.send_next():
                pass
            due_in = await self._time_until_due()
        return max(timedelta(0), min(_LOOK_EVERY, due_in))

    async def send_next(self) -> bool:
        """Claim the next letter and try to send it. False when none is due. Raises `Unavailable`."""
        now = datetime.now(UTC)
        async with self._database.write() as connection:
            expired = await delete_expired_letters(connection, now=now)
            claimed = await claim_letter(connection, now=now, until=now + _CLAIM)
        for letter_id, kind in expired:
            if kind != TO_NOBODY:
                _log.warning("mail_expired", letter_id=letter_id, kind=kind)
        if claimed is None:
            return False
        await _finish(self._deliver(claimed))
        return True

    async def _deliver(self, claimed: StoredLetter) -> None:
        letter = await self._open(claimed)
        if letter is None:
            return
        try:
            place = await self._transport.send(letter, self._letters.write(letter))
        except MailFailure as failure:
            await self._note_failure(claimed, failure)
        except Unwritable as error:
            await self._postpone(claimed, reason=str(error), cure="a mistake of this program: please report it")
        else:
            await self._mark_sent(claimed)
            _log.info("mail_sent", letter_id=claimed.id, kind=claimed.kind, attempt=claimed.attempts, through=place)

    async def _open(self, claimed: StoredLetter) -> PostedLetter | None:
        try:
            return self._outbox.open(claimed)
        except BrokenSeal:
            async with self._database.write() as connection:
                await delete_letter(connection, claimed.id)
            _log.warning(
                "mail_dropped",
                letter_id=claimed.id,
                kind=claimed.kind,
                reason="it was sealed with another encryption key",
                cure="let people ask for it again",
            )
        except ValueError:
            # A newer version posted it, and will send it.
            await self._postpone(claimed, reason="its kind is unknown here", cure="update this process as well")
        return None

    async def _note_failure(self, claimed: StoredLetter, failure: MailFailure) -> None:
        if not failure.permanent:
            await self._postpone(claimed, reason=failure.sentence, cure=failure.cure, failure=failure.failure)
            return
        async with self._database.write() as connection:
            await delete_letter(connection, claimed.id)
        _log.warning(
            "mail_refused",
            letter_id=claimed.id,
            kind=claimed.kind,
            failure=failure.failure,
            reason=failure.sentence,
            cure=failure.cure,
        )

    async def _postpone(self, claimed: StoredLetter, **what_happened: str) -> None:
        until = datetime.now(UTC) + pause_after(claimed.attempts)
        async with self._database.write() as connection:
            await postpone_letter(connection, claimed, until=until)
        _log.warning(
            "mail_failed",
            letter_id=claimed.id,
            kind=claimed.kind,
            attempt=claimed.attempts,
            next_attempt_at=until.isoformat(timespec="seconds"),
            **what_happened,
        )

    async def _mark_sent(self, claimed: StoredLetter) -> None:
        while True:
            try:
                async with self._database.write() as connection:
                    await mark_letter_sent(connection, claimed.id, now=datetime.now(UTC))
            except Unavailable:
                # It is out. Unmarked it would be sent again, so nothing else is done before.
                await asyncio.sleep(1)
            else:
                return

    async def _time_until_due(self) -> timedelta:
        async with self._database.read() as connection:
            next_attempt = await find_next_attempt(connection)
        now = datetime.now(UTC)
        return (next_attempt or now + _LOOK_EVERY) - now

    async def _wait(self, pause: timedelta) -> bool:
        """Tell whether something was posted in the meantime."""
        with suppress(TimeoutError):
            async with asyncio.timeout(pause.total_seconds()):
                await self._outbox.posted.wait()
        posted = self._outbox.posted.is_set()
        self._outbox.posted.clear()
        return posted


def pause_after(attempts: int) -> timedelta:
    """5 s after the first attempt, then twice as long each time, an hour at most."""
    # Ten doublings are more than an hour already.
    return min(_LONGEST_PAUSE, _FIRST_PAUSE * (1 << min(attempts - 1, 10)))


async def _finish(delivery: Coroutine[Any, Any, None]) -> None:
    """Wait for a delivery that goes on for a while when we are cancelled."""
    task = asyncio.ensure_future(delivery)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=_PATIENCE_AT_THE_END.total_seconds())
        task.cancel()
        # Its outcome is in the table; asyncio would complain about one that nobody took.
        await asyncio.gather(task, return_exceptions=True)
        raise
