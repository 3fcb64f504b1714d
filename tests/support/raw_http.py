"""HTTP with every byte under control: clients tidy up exactly what these tests are about."""

from __future__ import annotations

import http.client
import json
import socket
from dataclasses import dataclass
from typing import Any

_PATIENCE = 15


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """What came back."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """Give a header that must not be there twice."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(values) < 2, f"{name} came {len(values)} times"
        return values[0] if values else None

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever was answered
        return json.loads(self.body)


def request_bytes(request_line: str, *lines: str, body: bytes = b"") -> bytes:
    """Join a request line such as `GET /` and header lines as they are; only a body's length is added."""
    length = [f"Content-Length: {len(body)}"] if body else []
    head = "\r\n".join([f"{request_line} HTTP/1.1", *lines, *length, "", ""])
    return head.encode("utf-8", "surrogateescape") + body


def exchange(port: int, request: bytes) -> RawAnswer:
    """Send a request to a port of this machine and read one answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE) as connection:
        connection.sendall(request)
        method = request.partition(b" ")[0].decode("latin-1")
        with http.client.HTTPResponse(connection, method=method) as response:
            response.begin()
            return RawAnswer(response.status, tuple(response.getheaders()), response.read())
