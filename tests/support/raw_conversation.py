"""Bytes sent on one connection, cut where a test says, and every answer that they get."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from tests.support.raw_http import RawAnswer

_PATIENCE = 15
_NO_BODY = (204, 304)
_FIRST_FINAL = 200

# A check by nobody, of an address that its answer repeats: where it is answered, the connection had stayed open.
_PROBED = "http://probe.example.com/is-anybody-there"
PROBE = (
    f"GET /api/authz/auth-request HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n"
    f"X-Original-URL: {_PROBED}\r\nX-Original-Method: GET\r\n\r\n"
).encode()


class Connection:
    """A blocking client that changes nothing of what it sends, and reads one answer after the other."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._unread = b""
        # Of HTTP, in the answers until now.
        self.versions: list[str] = []

    @classmethod
    @contextmanager
    def to(cls, port: int) -> Iterator[Connection]:
        connection = cls(port)
        try:
            yield connection
        finally:
            connection.close()

    def close(self) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self, *, to_head: bool = False) -> RawAnswer | None:
        """Give the next answer, an interim one too; `None`: the connection ended before one began."""
        while b"\r\n\r\n" not in self._unread:
            if not self._read():
                assert not self._unread, self._unread
                return None
        head, _, self._unread = self._unread.partition(b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").split("\r\n")
        pairs = [line.partition(": ") for line in lines]
        headers = tuple((name, value.encode("latin-1").decode("utf-8", "surrogateescape")) for name, _, value in pairs)
        version, status = _version_and_status(status_line)
        self.versions.append(version)
        lengths = [value for name, value in headers if name.lower() == "content-length"]
        assert len(lengths) < 2, headers
        bodiless = to_head or status < _FIRST_FINAL or status in _NO_BODY
        return RawAnswer(status, headers, b"" if bodiless else self._body(int(lengths[0])))

    def rest(self) -> bytes:
        """Give all that comes until the end."""
        while self._read():
            pass
        unread, self._unread = self._unread, b""
        return unread

    def _body(self, length: int) -> bytes:
        while len(self._unread) < length:
            assert self._read(), "the answer was cut"
        body, self._unread = self._unread[:length], self._unread[length:]
        return body

    def _read(self) -> bool:
        with suppress(ConnectionError):
            if data := self.socket.recv(65536):
                self._unread += data
                return True
        return False


@dataclass(frozen=True, slots=True)
class Conversation:
    """What came back to what was sent, and whether the connection could be used once more."""

    answers: tuple[RawAnswer, ...]
    versions: tuple[str, ...]
    open: bool

    @property
    def statuses(self) -> tuple[int, ...]:
        return tuple(answer.status for answer in self.answers)

    @property
    def comparable(self) -> tuple[object, ...]:
        return self.open, self.versions, *(comparable(answer) for answer in self.answers)


def converse(
    port: int, pieces: Sequence[bytes], *, between: Callable[[], None] = lambda: None, heads: Sequence[int] = ()
) -> Conversation:
    """Send pieces and then the probe; `heads` are the places of answers without a body, since HEAD was asked.

    The probe tells by its answer that all was answered before it, and nothing twice: answers keep their order.
    """
    with Connection.to(port) as connection:
        with suppress(ConnectionError):
            for piece in pieces:
                connection.send(piece)
                between()
            connection.send(PROBE)
        answers: list[RawAnswer] = []
        while (answer := connection.answer(to_head=len(answers) in heads)) is not None:
            answers.append(answer)
        stayed_open = bool(answers) and _PROBED.rpartition("/")[2].encode() in answers[-1].body
        return Conversation(tuple(answers[:-1] if stayed_open else answers), tuple(connection.versions), stayed_open)


def comparable(answer: RawAnswer) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
    """Give what has to be the same in every lane: all but the moment, and the ids that no two answers share."""
    headers, body = [], answer.body
    for name, value in answer.headers:
        if name.lower() in ("x-decision-id", "x-request-id"):
            headers.append((name, "an id"))
            body = body.replace(value.encode(), b"an id")
        elif name.lower() == "content-length":
            # Counters grow by a digit now and then; the body itself is compared.
            continue
        else:
            headers.append((name, "a moment" if name.lower() == "date" else value))
    return answer.status, tuple(sorted(headers)), body


def _version_and_status(line: str) -> tuple[str, int]:
    match = re.fullmatch(r"(HTTP/\d\.\d) (\d{3}) [ -~]+", line)
    assert match is not None, line
    return match[1], int(match[2])
