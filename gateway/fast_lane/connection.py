"""One connection of a proxy: checks are answered here, and with anything else it goes to aiohttp, for good.

Bytes are either answered here, as one head that is a check, or handed over as they came: aiohttp then says what it
would have said without this lane. So no request is answered twice, and none is lost.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import structlog

from gateway.fast_lane.heads import MAX_HEAD, Head, HeadReader, Last, Unreadable
from gateway.fast_lane.known_heads import KnownHead
from gateway.fast_lane.lane import Asked, Lacking
from gateway.fast_lane.pending_writes import write
from gateway.forward_auth.warm_credentials import NotAtOnce
from gateway.web import protocol

if TYPE_CHECKING:
    from gateway.fast_lane.lane import Lane
    from gateway.forward_auth.original_request import Endpoint

_log = structlog.get_logger("gateway.fast_lane")

_END = b"\r\n\r\n"
# The request itself, and the empty line at the end.
_NOT_HEADERS = 2
# A head seldom comes in more than two; each one is read from its beginning.
_MAX_PIECES = 8
# Of what comes while a check is being answered.
_MAX_WAITING = 2 * MAX_HEAD


class Connection(asyncio.Protocol):
    """Answers one check after the other. What memory can allow costs no task, no object and no line in the log."""

    __slots__ = (
        "_answered", "_asking", "_ended", "_head", "_heads", "_lane", "_last", "_leaving", "_peer",
        "_pending_writes", "_pieces", "_stamp", "_timer", "_transport", "_trusted", "_unread", "_writable",
    )  # fmt: skip

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._heads = lane.heads
        self._stamp = lane.stamp
        self._pending_writes = lane.pending_writes
        self._head = HeadReader()
        # What has come and could not be answered yet: a part of a head, or what follows a check that is being answered.
        self._unread = bytearray()
        self._pieces = 0
        self._asking: asyncio.Task[None] | None = None
        self._answered = 0
        self._ended = self._leaving = False
        # What asked that this answer be the last one here, as most proxies do by default.
        self._last: Last | None = None
        self._writable = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self._peer = str(peer[0]) if isinstance(peer, tuple) else ""
        self._trusted = self._lane.trust(self._peer)
        self._lane.connections.add(self)
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(protocol.FIRST_HEAD_WITHIN.total_seconds(), self._close_if_idle, 0)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._timer.cancel()
        self._head.discard()
        self._lane.connections.remove(self)

    def data_received(self, data: bytes) -> None:
        if self._unread or self._asking is not None:
            self._gather(data)
            return
        recalled = self._heads.recall(data) if self._trusted else None
        if recalled is None:
            self._read(data)
        else:
            known, values = recalled
            self._let_pass_or_ask(data, known, values)

    def _let_pass_or_ask(self, data: bytes, known: KnownHead, values: list[bytes]) -> bool:
        """Answer what memory alone lets pass, and give `True`; of everything else begin to ask."""
        lacking = None
        try:
            passing = known.warm.head(known.frame, values)
        except NotAtOnce as not_yet:
            if not_yet.look_up is not None:
                lacking = Lacking(known, values, not_yet.look_up)
        except Exception:  # noqa: BLE001 - logged with its traceback
            # Whatever it is, the full check meets it as well, and answers 503.
            _log.exception("warm_check_failed", peer=self._peer)
        else:
            self._answered += 1
            self._pending_writes.add(self._transport, self._stamp.complete(passing), known.last)
            return True
        self._begin_to_ask(data, known.endpoint, lacking, last=known.last)
        return False

    def _read(self, data: bytes) -> None:
        """Deal with what is not known yet: a whole check, a part of one, anything else."""
        head = self._head
        try:
            head.feed(data)
        except Unreadable:
            self._hand_over(data)
            return
        endpoint = self._lane.endpoint(head.targets[0]) if head.targets else None
        # Each line but two is a header of its own: nothing stands behind them, nor any name on two of them.
        simple = data[-len(_END) :] == _END and data.count(b"\n") == len(head.headers) + _NOT_HEADERS
        empty_line = len(data) - len(_END) if simple else data.find(_END)
        if len(data) > MAX_HEAD or (head.targets and endpoint is None):
            self._hand_over(data)
        elif empty_line < 0 and self._pieces < _MAX_PIECES:
            self._unread += data
            self._pieces += 1
            # The parser stands in the middle of it.
            head.discard()
            self._head = HeadReader()
        # One head: after its only empty line there is no body, no trailer, no second head.
        elif endpoint is None or head.complete != 1 or empty_line != len(data) - len(_END):
            self._hand_over(data)
        elif (last := head.last) is not None or (head.keep_alive and head.is_http_1_1()):
            self._answer(endpoint, data, simple=simple, last=last)
            head.forget()
        else:
            self._hand_over(data)

    def _answer(self, endpoint: Endpoint, data: bytes, *, simple: bool, last: Last | None) -> None:
        """Answer a check whose head is read: from memory, which then knows it, or by asking."""
        headers, warm = self._head.headers, self._lane.warm_at(endpoint)
        frame = warm.frame(headers) if simple and self._trusted else None
        if frame is not None:
            known, values = KnownHead(endpoint, warm, frame, last), frame.layout.values(headers)
            if self._let_pass_or_ask(data, known, values):
                self._heads.remember(data, known)
        else:
            self._begin_to_ask(data, endpoint, None, last=last)

    def _begin_to_ask(self, data: bytes, endpoint: Endpoint, lacking: Lacking | None, *, last: Last | None) -> None:
        if (read := Head.read(data)).is_ordinary:
            self._last = last
            self._asking = self._lane.begin(self._ask(Asked(endpoint, read, self._peer, lacking)))
        else:
            self._hand_over(data)

    async def _ask(self, asked: Asked) -> None:
        try:
            answer = await self._lane.answer(asked)
            last = self._last or (Last.CLOSE if self._leaving and not self._unread else None)
            write(self._transport, answer, last)
        except Exception:  # noqa: BLE001 - logged with its traceback
            # What was asked stays without an answer, rather than with half of one.
            _log.exception("check_unanswered", peer=self._peer)
            self._transport.abort()
        self._asking = None
        self._answered += 1
        self._go_on()

    def _go_on(self) -> None:
        """Look at what came meanwhile, if the client takes its answers."""
        if self._transport.is_closing() or not self._writable:
            return
        data = bytes(self._unread)
        self._unread.clear()
        self._transport.resume_reading()
        if self._leaving:
            self._hand_over(data)
            return
        if data:
            self.data_received(data)
            # Before anything else comes, or this ends.
            self._pending_writes.flush()
        # Nothing that is not there now comes any more.
        if self._ended and self._asking is None and self._transport.get_protocol() is self:
            self._transport.close()

    def _gather(self, data: bytes) -> None:
        """Keep what comes until it is its turn; a head that came in pieces is read again from its beginning."""
        self._unread += data
        if self._asking is None:
            whole = bytes(self._unread)
            self._unread.clear()
            self.data_received(whole)
            if not self._unread:
                self._pieces = 0
        elif len(self._unread) > _MAX_WAITING:
            self._transport.pause_reading()

    def _hand_over(self, data: bytes) -> None:
        """Let aiohttp serve this connection from here on, beginning with these bytes."""
        self._timer.cancel()
        self._head.discard()
        slow = self._lane.slow()
        self._transport.set_protocol(slow)
        # It is counted before this one is not any more: while we drain, the last one must not be missed.
        slow.connection_made(self._transport)
        self._lane.connections.remove(self)
        if data:
            slow.data_received(data)
        if self._ended and not slow.eof_received():
            self._transport.close()

    def eof_received(self) -> bool:
        """Keep a connection open on which nothing more is asked, until what was asked is answered."""
        self._ended = True
        # To say no closes it.
        self._pending_writes.flush()
        return self._asking is not None

    def pause_writing(self) -> None:
        """Read nothing more from a client that does not take its answers."""
        self._writable = False
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._writable = True
        if self._asking is None:
            self._go_on()

    @property
    def owes_answer(self) -> bool:
        """Whether a check has begun to arrive that is not answered yet."""
        return self._asking is not None or bool(self._unread)

    def leave(self) -> None:
        """Go where the next answer says that it is the last one, as soon as nothing is owed here."""
        self._leaving = True
        if self._asking is None:
            self._go_on()

    def force_close(self) -> None:
        self._pending_writes.flush()
        self._transport.close()

    def _close_if_idle(self, answered_before: int) -> None:
        """Close a connection that holds a descriptor and asks nothing: the times are those of the slow lane."""
        if self._asking is None and self._answered == answered_before:
            # Not politely: what was not taken in that time would have to be taken first.
            self._transport.abort()
            return
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(protocol.KEEP_ALIVE.total_seconds(), self._close_if_idle, self._answered)
