"""A plain HTTP server in a thread that shows requests as they arrive, line by line."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from io import BufferedIOBase


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it arrived."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    connection: tuple[str, int]

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered; `None` as status closes the connection without a word.

    `talk` gets the connection after the head of the answer, and closes it when it is done: for a WebSocket, or for
    what is written bit by bit.
    """

    status: int | None = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    talk: Callable[[BufferedIOBase, BufferedIOBase], None] | None = None


@dataclass(slots=True)
class ThreadedServer:
    """The port, and everything that was received on it."""

    port: int
    received: list[Received] = field(default_factory=list)


@contextmanager
def answering(answer: Callable[[Received], Reply]) -> Iterator[ThreadedServer]:
    """Serve on a free port of this machine."""
    server = ThreadedServer(0)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = tuple((name, _as_utf8(value)) for name, value in self.headers.items())
            received = Received(self.command, self.path, headers, body, self.client_address)
            server.received.append(received)
            reply = answer(received)
            if reply.status is None:
                self.close_connection = True
                return
            self.send_response_only(reply.status)
            length = () if reply.talk else (("Content-Length", str(len(reply.body))),)
            for name, value in (*reply.headers, *length):
                self.send_header(name, value.encode().decode("latin-1"))
            self.end_headers()
            if reply.talk:
                self.close_connection = True
                reply.talk(self.rfile, self.wfile)
                return
            self.wfile.write(reply.body if self.command != "HEAD" else b"")

        def log_message(self, *_: object) -> None:
            """Say nothing: the tests read `received`."""

    for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"):
        setattr(Handler, f"do_{method}", Handler.answer)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        listener.daemon_threads = True
        server.port = listener.server_port
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown()
            thread.join()


def _as_utf8(value: str) -> str:
    return value.encode("latin-1").decode("utf-8", "surrogateescape")
