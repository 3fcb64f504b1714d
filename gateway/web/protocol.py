"""aiohttp's protocol, but for what it says about requests that it cannot read."""

from __future__ import annotations

import asyncio
import secrets
from datetime import timedelta
from typing import Any

import structlog
from aiohttp import web

from gateway.errors import GatewayError, MalformedRequest
from gateway.web.connections import Connections

_log = structlog.get_logger("gateway.web")

_BAD_REQUEST = 400
_SERVER_ERRORS = 500

FIRST_HEAD_WITHIN = timedelta(seconds=15)
# Longer than proxies keep theirs: whoever closes first must not be us, while a request is on its way.
KEEP_ALIVE = timedelta(seconds=3630)

# Proxies let header lines of 14 kB through; aiohttp's own limit of 8 kB would answer 400 by itself.
_MAX_LINE = 64 * 1024 + 512


class Protocol(web.RequestHandler):
    """Answer what never becomes a request of ours in our own words.

    aiohttp logs the line that it could not read, and sends it back: a cookie or a token may stand in it, and a log
    line of the sender's choice.
    """

    __slots__ = ("_connections", "_ended", "_first_head", "owes_answer")

    def __init__(self, server: web.Server, *, connections: Connections, **options: Any) -> None:  # noqa: ANN401 - aiohttp's
        super().__init__(server, **options)
        self._connections = connections
        # Whether a request has begun to arrive that is not answered yet.
        self.owes_answer = False
        self._ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._connections.add(self)
        # Later heads are bounded by the keep-alive time, which aiohttp looks after.
        self._first_head = self._loop.call_later(FIRST_HEAD_WITHIN.total_seconds(), self._close_if_silent, transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._first_head.cancel()
        self._connections.remove(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        # The rest of a body whose request was answered early asks for nothing.
        if self._waiter is not None or self._request_count == 0:
            self.owes_answer = True
        super().data_received(data)

    def eof_received(self) -> bool:  # type: ignore[override] # it says nothing, which closes the connection
        """Keep a connection open on which nothing more is asked, until what was asked is answered."""
        self._ended = True
        if self._request_count == 0 or (self._waiter is not None and not self._waiter.done()):
            return False
        bodies = [body for _, body in self._messages]
        if self._current_request is not None:
            bodies.append(self._current_request.content)
        # What came behind a wish for another protocol is read once that has been declined.
        if not self._messages and not self._message_tail:
            # When the last answer was just given nothing else would end it, and whoever hangs up then would leave a
            # descriptor behind for the time of keep-alive.
            self.close()
        # A body that does not come any more has no answer.
        return all(body.is_eof() for body in bodies)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        if "Transfer-Encoding" in request.headers:
            # aiohttp takes what comes after the last chunk for lines of the next head.
            resp.force_close()
        try:
            return await super().finish_response(request, resp, start_time)
        finally:
            self.owes_answer = bool(self._messages)
            if self._ended and not self._messages and self.transport is not None:
                self.transport.close()

    def leave(self) -> None:
        """Stay: `Connections.mark_last_answer` sees to it."""

    def _close_if_silent(self, transport: asyncio.BaseTransport) -> None:
        """Close a connection that holds a descriptor and has not asked anything."""
        if self._request_count == 0:
            transport.close()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = _SERVER_ERRORS,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it repeats what was sent
    ) -> web.StreamResponse:
        if isinstance(exc, UnicodeError):
            # aiohttp's own refusal repeated what was sent, which no answer can carry.
            status = _BAD_REQUEST
        _log.info("unreadable_request", peer=request.remote, status=status, error=type(exc).__name__)
        if request.writer.output_size > 0:
            sentence = "an answer was under way already"
            raise ConnectionError(sentence)
        refusal = GatewayError if status >= _SERVER_ERRORS else MalformedRequest
        body = {"error": refusal.title, "message": refusal.sentence, "code": refusal.code}
        response = web.json_response(body, status=status)
        response.headers.update(
            {"Cache-Control": "no-store", "Server": "gateway", "X-Request-Id": secrets.token_hex(8)}
        )
        response.force_close()
        return response


def make_protocol(server: web.Server, loop: asyncio.AbstractEventLoop, connections: Connections) -> Protocol:
    """Make the protocol of one connection, with our limits; bodies are never decompressed."""
    return Protocol(
        server,
        connections=connections,
        loop=loop,
        keepalive_timeout=KEEP_ALIVE.total_seconds(),
        access_log=None,  # how aiohttp is told to have none
        auto_decompress=False,
        max_line_size=_MAX_LINE,
        max_field_size=_MAX_LINE,
    )
