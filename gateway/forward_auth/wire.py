"""An answer as bytes of HTTP/1.1 (RFC 9112), where no HTTP library sends it."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus

from gateway.forward_auth.answers import Answer, allow
from gateway.forward_auth.identity_headers import Header

# What the other routes are given by their middleware.
_OF_EVERY_ANSWER: tuple[Header, ...] = (("Server", "gateway"), ("X-Content-Type-Options", "nosniff"))
_DECISION_ID = "X-Decision-Id"


def _lines(headers: Iterable[Header]) -> str:
    """Raise `ValueError` for what would begin a header of its own; such a value is refused where it is entered."""
    lines = [f"{name}: {value}\r\n" for name, value in headers]
    text = "".join(lines)
    if not text.count("\r") == text.count("\n") == len(lines) or "\x00" in text:
        message = "a header's value holds the end of a line"
        raise ValueError(message)
    return text


# Of all answers that let pass; but for their ids.
_ALIKE = [header for header in allow((), strip=(), decision_id="").headers if header[0] != _DECISION_ID]
_NOT_OWN = {_DECISION_ID, *(name for name, _ in _ALIKE)}
ALIKE_IN_ALL = _lines((*_ALIKE, ("Content-Length", "0"), *_OF_EVERY_ANSWER)).encode()


def render(answer: Answer, *, date: bytes, to_head: bool = False) -> bytes:
    """Give a whole answer. `to_head`: HEAD asked, so that no body may follow."""
    head = _head(
        answer.status, (*answer.headers, ("X-Request-Id", dict(answer.headers)[_DECISION_ID])), len(answer.body)
    )
    return b"".join((head, b"Date: ", date, b"\r\n\r\n", b"" if to_head else answer.body))


def render_beginning(answer: Answer) -> bytes:
    """Give the part of an answer that lets pass which is about somebody: `ALIKE_IN_ALL`, date and ids complete it."""
    own = _lines(header for header in answer.headers if header[0] not in _NOT_OWN)
    return f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}\r\n{own}".encode()


def _head(status: int, headers: Iterable[Header], length: int) -> bytes:
    lines = _lines({**dict(_OF_EVERY_ANSWER), **dict(headers)}.items())
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{lines}Content-Length: {length}\r\n".encode()
