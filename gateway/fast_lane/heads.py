"""The head of a request, as llhttp reads it (httptools): strictly, every line ends in CRLF and none is folded."""

from __future__ import annotations

from enum import Enum
from typing import Self

import httptools

# Bytes. aiohttp has limits of its own above this.
MAX_HEAD = 64 * 1024
# What a parser raises that cannot go on by itself.
Unreadable = (httptools.HttpParserError, httptools.HttpParserUpgrade)


class Last(Enum):
    """Why an answer is the last one on its connection: the version of HTTP, and what its head says about that."""

    CLOSE = (b"HTTP/1.1", b"\r\nConnection: close\r\n\r\n")
    HTTP_1_0 = (b"HTTP/1.0", b"\r\n\r\n")

    def mark(self, answer: bytes) -> bytes:
        """Say in an answer of HTTP/1.1 what has to be said."""
        version, end = self.value
        head, _, body = answer.removeprefix(b"HTTP/1.1").partition(b"\r\n\r\n")
        return version + head + end + body


class HeadReader:
    """Reads the heads of one connection, each as a whole.

    `headers` has the lines under their names as sent, the first one where a name stands on several. The parser calls
    the dictionary and the list themselves: a function of ours for each line would cost as much as the rest of a check.
    """

    __slots__ = (
        "_parser",
        "complete",
        "feed",
        "headers",
        "is_http_1_1",
        "keep_alive",
        "on_header",
        "on_url",
        "targets",
    )

    def __init__(self) -> None:
        self.headers: dict[bytes, bytes] = {}
        self.targets: list[bytes] = []
        self.complete = 0
        self.keep_alive = False
        self.on_header = self.headers.setdefault
        self.on_url = self.targets.append
        self._parser = httptools.HttpRequestParser(self)
        # Raises one of `Unreadable`.
        self.feed = self._parser.feed_data
        # Between two messages the parser knows of the last one its version only, which alone decides then.
        self.is_http_1_1 = self._parser.should_keep_alive

    def on_message_complete(self) -> None:
        self.complete += 1
        self.keep_alive = self._parser.should_keep_alive()

    @property
    def last(self) -> Last | None:
        """Why nothing more may be asked after this one; `None`: that is not so simple."""
        if self.keep_alive:
            return None
        return {"1.1": Last.CLOSE, "1.0": Last.HTTP_1_0}.get(self._parser.get_http_version())

    def discard(self) -> None:
        """Part from the parser, which would keep this reader alive until the next look for garbage."""
        del self.feed, self.is_http_1_1, self._parser

    def forget(self) -> None:
        """Be ready for the next one."""
        self.headers.clear()
        self.targets.clear()
        self.complete = 0


# aiohttp refuses a head that has one of these twice (RFC 9110 section 5.3).
SINGLE = frozenset(
    {
        b"content-length",
        b"content-location",
        b"content-range",
        b"content-type",
        b"etag",
        b"host",
        b"max-forwards",
        b"server",
        b"transfer-encoding",
        b"user-agent",
    }
)
# Of a WebSocket from before the standard, which it refuses as well.
_OLD_WEBSOCKET = b"sec-websocket-key1"
# It has a limit of its own above this.
_MAX_LINES = 100


class Head:
    """Everything that one head says: its method, and every line in order."""

    __slots__ = ("lines", "method")

    def __init__(self) -> None:
        self.method = b""
        self.lines: list[tuple[bytes, bytes]] = []

    @classmethod
    def read(cls, head: bytes) -> Self:
        """Read a head that `HeadReader` found to be one."""
        read = cls()
        parser = httptools.HttpRequestParser(read)
        parser.feed_data(head)
        read.method = parser.get_method()
        return read

    def on_header(self, name: bytes, value: bytes) -> None:
        self.lines.append((name, value))

    @property
    def is_ordinary(self) -> bool:
        """Whether aiohttp takes it for a request: what it refuses is for it to answer."""
        names = [name.lower() for name, _ in self.lines]
        single = [name for name in names if name in SINGLE]
        return (
            len(names) <= _MAX_LINES
            and b"host" in single
            and len(single) == len(set(single))
            and _OLD_WEBSOCKET not in names
        )
